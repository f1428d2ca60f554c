//! `segtui doctor`: checks everything between the user and the tenant, step by step, and reports the results. It changes nothing,
//! and its output contains no key.

mod local;
mod network;
mod report;

use std::path::PathBuf;

use crate::config::{self, ConfigError, Connection, Effective, Environment, Flags, Origin, Paths};
use crate::demo;

use super::arguments::{ConnectionArguments, DoctorArguments, TextOrJson, VERSION};
use super::configuration::print;
use super::exit::Exit;
use super::failure::Failure;
use super::link;
use super::paint::Paint;

use report::{Check, Report};

pub(super) async fn run(
    options: DoctorArguments,
    connection: ConnectionArguments,
    log_file: Option<PathBuf>,
    environment: impl Fn(&str) -> Option<String>,
    paths: Paths,
    paint: Paint,
) -> Result<Exit, Failure> {
    let form = options.form();
    let arguments = options.connection.or(connection)?;
    let report = run_checks(&arguments, log_file, &environment, &paths).await?;
    print(&match form {
        TextOrJson::Text => report.text(paint),
        TextOrJson::Json => report.json(),
    })?;
    Ok(report.exit())
}

async fn run_checks(
    arguments: &ConnectionArguments,
    log_file: Option<PathBuf>,
    environment: Environment<'_>,
    paths: &Paths,
) -> Result<Report, Failure> {
    let mut report = Report::default();
    report.add(Check::ok("version", format!("segtui {VERSION}")));
    let flags = arguments.flags();
    let tenant = if arguments.demo {
        let (connection, server) = link::demo_connection(&flags, environment).await?;
        report.add(Check::ok("config", "not read: --demo"));
        report.add(Check::ok("api-key", "that of the demo server"));
        Tenant { connection: Some(connection), has_key: true, _demo: Some(server) }
    } else {
        check_config(&mut report, &flags, environment, paths)
    };
    match &tenant.connection {
        Some(connection) => {
            report.add(Check::ok("tenant", format!("{} at {}", connection.tenant, connection.base_url.segments())));
            let reached = network::check_connection(&mut report, connection).await;
            if reached && tenant.has_key {
                network::check_api(&mut report, connection).await;
            } else {
                let why = if reached { "there is no API key" } else { "the server can't be reached" };
                report.skip(&["page", "feed"], why);
            }
            if arguments.demo {
                report.skip(&["store", "journal"], "the demo keeps nothing");
            } else {
                local::store(&mut report, connection, paths);
            }
        }
        None => report.skip(
            &["tenant", "proxy", "dns", "tcp", "tls", "page", "feed", "store", "journal"],
            "it isn't known which tenant",
        ),
    }
    local::log(&mut report, log_file, paths);
    local::terminal(&mut report, environment);
    Ok(report)
}

/// The tenant, as far as it is known.
struct Tenant {
    connection: Option<Connection>,
    /// Whether there is a key; if not, the connection has a placeholder.
    has_key: bool,
    _demo: Option<demo::Server>,
}

/// Checks the configuration and where the key comes from.
fn check_config(report: &mut Report, flags: &Flags, environment: Environment<'_>, paths: &Paths) -> Tenant {
    let unknown = Tenant { connection: None, has_key: false, _demo: None };
    let effective = match config::effective(flags, environment, paths) {
        Ok(effective) => effective,
        Err(error) => {
            report.add(Check::failed("config", &link::config_failure(&error)));
            report.skip(&["api-key"], "the configuration has faults");
            return unknown;
        }
    };
    report.add(local::config(&effective));
    let key_origin = key_origin(&effective);
    report.effective = Some(effective);
    match config::resolve(flags, environment, paths) {
        Ok(connection) => {
            report.add(Check::ok("api-key", key_origin));
            Tenant { connection: Some(connection), has_key: true, ..unknown }
        }
        Err(error) if is_key_error(&error) => {
            report.add(Check::failed("api-key", &link::config_failure(&error)));
            // The connection can be checked without a key.
            let none = Flags { api_key: Some("none".to_owned().into()), ..flags.clone() };
            Tenant { connection: config::resolve(&none, environment, paths).ok(), ..unknown }
        }
        Err(error) => {
            report.replace(Check::failed("config", &link::config_failure(&error)));
            report.skip(&["api-key"], "the configuration is incomplete");
            unknown
        }
    }
}

fn is_key_error(error: &ConfigError) -> bool {
    matches!(
        error,
        ConfigError::Command(_)
            | ConfigError::KeyFile(_)
            | ConfigError::KeyNotInEnvironment { .. }
            | ConfigError::TwoKeys
            | ConfigError::NoKey(_)
            | ConfigError::Missing { key: "api_key", .. }
    )
}

/// Describes where the key comes from, without the key itself.
fn key_origin(effective: &Effective) -> String {
    let found = effective.settings.iter().find(|setting| setting.key.starts_with("api_key"));
    match found {
        Some(setting) if setting.origin != Origin::Unset => match &setting.value {
            Some(value) => format!("from `{} = {value}`, {}", setting.key, setting.origin),
            None => format!("from {}", setting.origin),
        },
        _ => "not set".into(),
    }
}
