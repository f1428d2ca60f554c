//! Arguments of `check`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use crate::check::{Level, Rule};

use super::super::completing;
use super::{ConnectionArguments, ReadingArguments, TextOrJson};

#[derive(Debug, Clone, Args)]
#[command(after_help = after_check())]
pub(in crate::cli) struct CheckArguments {
    /// File to check, `-` for stdin [default: the tenant].
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArguments,
    /// Check only this rule, or with RULE=LEVEL, change how serious it is: off, warning or error. Can be repeated.
    #[arg(long = "rule", value_name = "RULE[=LEVEL]", value_parser = rule, help_heading = "Check", add = rules())]
    pub rules: Vec<RuleChoice>,
    /// Deepest level that `too-deep` accepts; segments at the top are on level 1.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Check")]
    pub max_depth: Option<u32>,
    /// Output form.
    #[arg(long, short, value_name = "FORM", default_value = "text", help_heading = "Output")]
    pub output: TextOrJson,
    /// Exit with code 3 if there are findings.
    #[arg(long, help_heading = "Output")]
    pub exit_code: bool,
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

/// A rule and the level given for it, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct RuleChoice {
    pub rule: Rule,
    pub level: Option<Level>,
}

fn rule(text: &str) -> Result<RuleChoice, String> {
    let (rule, level) = match text.split_once('=') {
        Some((rule, level)) => (rule, Some(level)),
        None => (text, None),
    };
    let fault = |fault: crate::check::RuleFault| fault.to_string();
    let rule = rule.parse().map_err(fault)?;
    Ok(RuleChoice { rule, level: level.map(str::parse).transpose().map_err(fault)? })
}

/// Completes a rule.
fn rules() -> ArgValueCompleter {
    ArgValueCompleter::new(completing::rules)
}

fn after_check() -> String {
    let line = |rule: Rule| format!("  {:<22} {:<8} {}\n", rule.name(), rule.default_level().name(), rule.help());
    format!(
        "Examples:\n  \
         segtui check\n  \
         segtui check groups.csv                 # a file, before it is applied\n  \
         segtui check --rule orphan --rule cycle --exit-code\n  \
         segtui check --rule missing-external-id=error --rule padded-name=off\n  \
         segtui check -o json | jq -r '.findings[].path'\n\n\
         Rules (RULE) and how serious they are unless the profile says otherwise:\n\
         {}\nA profile sets them with `check = {{ too-deep = \"error\", max-depth = 6 }}`.",
        Rule::ALL.map(line).concat()
    )
}
