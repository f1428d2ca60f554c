//! What users would otherwise write: a minimal program with a list, and the tree widget given the whole forest. They
//! run in a pseudo-terminal like the program itself.

use crossterm::event::{self, Event, KeyCode};
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{List, ListItem, ListState};
use tui_tree_widget::{Tree, TreeItem, TreeState};

use super::tenants;

/// Runs a peer by its name.
pub fn run(arguments: &[String]) {
    match arguments {
        [name] if name == "minimal" => minimal(),
        [name, rows] if name == "naive" => naive(rows.parse().expect("a number of rows")),
        other => panic!("no such peer: {other:?}"),
    }
}

/// A program with a list that fills the screen.
fn minimal() {
    let rows: Vec<String> = (0..1_000).map(|number| format!("Sklep {number}")).collect();
    let mut state = ListState::default().with_selected(Some(0));
    let mut terminal = ratatui::init();
    loop {
        let drawn = terminal.draw(|frame| {
            let items = rows.iter().map(|row| ListItem::new(row.as_str()));
            let list = List::new(items).highlight_style(Style::new().add_modifier(Modifier::REVERSED));
            frame.render_stateful_widget(list, frame.area(), &mut state);
        });
        drawn.expect("the terminal can be written to");
        match event::read() {
            Ok(Event::Key(key)) => match key.code {
                KeyCode::Char('j') => state.select_next(),
                KeyCode::Char('k') => state.select_previous(),
                KeyCode::Char('g') => state.select_first(),
                KeyCode::Char('G') => state.select_last(),
                KeyCode::Char('q') => break,
                _ => {}
            },
            Ok(_) => {}
            Err(_) => break,
        }
    }
    ratatui::restore();
}

/// All segments as tree items, all open.
pub fn whole_forest(rows: u32) -> (Vec<TreeItem<'static, String>>, TreeState<String>) {
    let segments = tenants::regular(rows);
    let mut state = TreeState::default();
    let mut children: Vec<Vec<TreeItem<'static, String>>> = segments.iter().map(|_| Vec::new()).collect();
    let mut roots = Vec::new();
    for at in (0..segments.len()).rev() {
        let below: Vec<_> = std::mem::take(&mut children[at]).into_iter().rev().collect();
        let item =
            TreeItem::new(segments[at].id.to_string(), segments[at].name.to_string(), below).expect("ids differ");
        match tenants::parent_of(at) {
            Some(parent) => children[parent].push(item),
            None => roots.push(item),
        }
    }
    roots.reverse();
    for at in 0..segments.len() {
        let mut path = vec![segments[at].id.to_string()];
        let mut above = tenants::parent_of(at);
        while let Some(parent) = above {
            path.push(segments[parent].id.to_string());
            above = tenants::parent_of(parent);
        }
        path.reverse();
        state.open(path);
    }
    (roots, state)
}

fn naive(rows: u32) {
    let (items, mut state) = whole_forest(rows);
    state.select_first();
    let mut terminal = ratatui::init();
    loop {
        let drawn = terminal.draw(|frame| {
            let tree = Tree::new(&items).expect("ids differ");
            let tree = tree.highlight_style(Style::new().add_modifier(Modifier::REVERSED));
            frame.render_stateful_widget(tree, frame.area(), &mut state);
        });
        drawn.expect("the terminal can be written to");
        match event::read() {
            Ok(Event::Key(key)) => match key.code {
                KeyCode::Char('j') => drop(state.key_down()),
                KeyCode::Char('k') => drop(state.key_up()),
                KeyCode::Char('q') => break,
                _ => {}
            },
            Ok(_) => {}
            Err(_) => break,
        }
    }
    ratatui::restore();
}
