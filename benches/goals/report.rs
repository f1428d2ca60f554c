//! The table of results: each figure with its goal, and whether it is reached.

use std::time::Duration;

/// The rows in the order in which they were measured.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
    only: Option<String>,
}

struct Row {
    what: String,
    figure: String,
    goal: String,
    reached: bool,
}

impl Report {
    /// A report on the groups whose name contains a text, or on all of them.
    pub fn on(only: Option<String>) -> Self {
        Self { rows: Vec::new(), only }
    }

    /// Whether a group of rows is selected. Prints its name if so.
    pub fn wants(&self, group: &str) -> bool {
        let wanted = self.only.as_ref().is_none_or(|only| group.contains(only.as_str()));
        if wanted {
            eprintln!("… {group}");
        }
        wanted
    }

    /// Adds a figure that must be at most the goal, in a unit.
    pub fn at_most(&mut self, what: impl Into<String>, figure: f64, goal: f64, unit: &str) {
        self.add(what.into(), figure, format!("≤ {}", shown(goal)), figure <= goal, unit);
    }

    /// Adds a figure that must be at least the goal.
    pub fn at_least(&mut self, what: impl Into<String>, figure: f64, goal: f64, unit: &str) {
        self.add(what.into(), figure, format!("≥ {}", shown(goal)), figure >= goal, unit);
    }

    /// Adds a figure for comparison, without a goal.
    pub fn note(&mut self, what: impl Into<String>, figure: f64, unit: &str) {
        self.add(what.into(), figure, "–".into(), true, unit);
    }

    fn add(&mut self, what: String, figure: f64, goal: String, reached: bool, unit: &str) {
        let row = Row { what, figure: format!("{} {unit}", shown(figure)), goal, reached };
        eprintln!("  {}: {} ({}){}", row.what, row.figure, row.goal, if reached { "" } else { "  MISSED" });
        self.rows.push(row);
    }

    /// Prints the table and returns whether every goal was reached.
    pub fn print(&self) -> bool {
        println!("\n| what | figure | goal | |\n| --- | ---: | ---: | --- |");
        for Row { what, figure, goal, reached } in &self.rows {
            let verdict = match (goal.as_str(), reached) {
                ("–", _) => "",
                (_, true) => "reached",
                (_, false) => "missed",
            };
            println!("| {what} | {figure} | {goal} | {verdict} |");
        }
        self.rows.iter().all(|row| row.reached)
    }
}

/// Formats a figure to about three digits.
fn shown(figure: f64) -> String {
    match figure.abs() {
        0.0 => "0".into(),
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        size if size >= 1.0 => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "nothing here is counted up to so many")]
pub const fn number(count: usize) -> f64 {
    count as f64
}

pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// The value that this percentage of the durations does not exceed.
pub fn percentile(durations: &[Duration], hundredths: usize) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * hundredths).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}

pub fn median(durations: &[Duration]) -> Duration {
    percentile(durations, 50)
}
