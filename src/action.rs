//! What a person can ask for: one table, from which the key bindings, the footer, the help page, the configuration's names
//! and the list of keys in docs/keys.md all come.
//!
//! An action is a wish. Whether it can be granted at the moment is decided where the state is known.
//!
//! Commands of the person's own stand beside the table: they have no line in it, and their names come from the configuration.

mod own;

pub use own::{Output, Subjects, UserCommand};

/// Something a person can ask for in the main screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// One row down.
    Down,
    /// One row up.
    Up,
    /// One screen down.
    PageDown,
    /// One screen up.
    PageUp,
    /// Half a screen down.
    HalfPageDown,
    /// Half a screen up.
    HalfPageUp,
    /// The first row.
    First,
    /// The last row.
    Last,
    /// The next row on the same level.
    NextSibling,
    /// The previous row on the same level.
    PreviousSibling,
    /// Unfold, or go to the first child.
    Open,
    /// Fold, or go to the parent.
    Close,
    /// Fold or unfold.
    ToggleFold,
    /// Unfold everything below.
    ExpandSubtree,
    /// Show so many levels of the whole tree, from 1; 0 shows all.
    FoldToLevel(u8),
    /// Search.
    Find,
    /// The next match.
    NextMatch,
    /// The previous match.
    PreviousMatch,
    /// To the segment with an exact external id or id.
    Jump,
    /// To where one was before.
    Back,
    /// To where one was before going back.
    Forward,
    /// Put a bookmark on the segment.
    Bookmark,
    /// To a bookmark.
    GoToBookmark,
    /// Create a segment below the selected one.
    AddChild,
    /// Create a segment beside the selected one.
    AddSibling,
    /// Change all fields in a form.
    Edit,
    /// Change many segments as an indented text in an editor.
    EditAsText,
    /// Change the name in the row itself.
    Rename,
    /// Pick a new parent.
    Move,
    /// Remember what is to be moved.
    Cut,
    /// Move what was cut here.
    Paste,
    /// Delete.
    Delete,
    /// Open what was refused or is in conflict.
    Resolve,
    /// Take back what was done last.
    Undo,
    /// Do again what was taken back.
    Redo,
    /// Do the last edit once more, on what is selected or marked.
    Repeat,
    /// Stage edits, or review what is staged.
    Stage,
    /// Show what waits, runs and failed.
    ShowPending,
    /// Begin nothing more of what is under way; with nothing under way, leave.
    Pause,
    /// Mark or unmark, then one row down.
    Mark,
    /// Mark a range that grows down.
    MarkDown,
    /// Mark a range that grows up.
    MarkUp,
    /// Begin or end marking a range.
    MarkRange,
    /// Mark all matches of the search.
    MarkMatches,
    /// Put something of the selected or all marked segments into the clipboard.
    Copy(Aspect),
    /// Show the segment in the browser.
    Browse,
    /// To the next pane.
    NextPane,
    /// To the previous pane.
    PreviousPane,
    /// Show or hide the details.
    ToggleDetails,
    /// Show or hide the activity.
    ToggleActivity,
    /// More room for the tree.
    WidenTree,
    /// Less room for the tree.
    NarrowTree,
    /// Sort by name.
    SortByName,
    /// Sort by external id.
    SortByExternalId,
    /// Sort by number of descendants.
    SortByDescendants,
    /// Sort by when they were seen to change.
    SortByChange,
    /// Load everything anew.
    Reload,
    /// Ask for changes now.
    Refresh,
    /// Find an action by its name.
    Palette,
    /// Show what is wrong with the tree.
    Check,
    /// Show the requests that were made.
    ShowRequests,
    /// To another profile, the demo or a new profile.
    SwitchProfile,
    /// Show all keys.
    Help,
    /// Leave what is open, one step a press.
    Dismiss,
    /// Stop the program until the shell continues it.
    Suspend,
    /// Leave the program.
    Quit,
    /// Run the person's own command of that number, from 0 as the configuration lists them.
    UserCommands(u16),
}

/// What of a segment can be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// Its id.
    Id,
    /// Its name.
    Name,
    /// Its external id.
    ExternalId,
    /// The names from the top down to it.
    Path,
    /// The whole of it, as the API shows it.
    Json,
    /// It and all below it, as an outline.
    Subtree,
    /// The command that reads it from the server.
    Curl,
}

/// How actions are grouped for reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Getting around.
    Moving,
    /// Folding and unfolding.
    Folding,
    /// Searching.
    Finding,
    /// Changing segments.
    Changing,
    /// Taking something elsewhere.
    Copying,
    /// What is on the screen.
    Viewing,
    /// The server and the program itself.
    Program,
    /// Commands of the person's own.
    UserCommands,
}

impl Group {
    /// Every group of the table in reading order.
    pub const ALL: [Self; 7] =
        [Self::Moving, Self::Folding, Self::Finding, Self::Changing, Self::Copying, Self::Viewing, Self::Program];

    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Moving => "Moving",
            Self::Folding => "Folding",
            Self::Finding => "Finding",
            Self::Changing => "Changing",
            Self::Copying => "Copying",
            Self::Viewing => "Viewing",
            Self::Program => "Program",
            Self::UserCommands => "Custom commands",
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionEntry {
    /// The action.
    pub action: Action,
    /// Its name in the configuration.
    pub name: &'static str,
    /// The keys that ask for it unless the configuration says otherwise, each a sequence as the keymap reads it.
    pub keys: &'static [&'static str],
    /// Where it is listed.
    pub group: Group,
    /// One word or two for the footer.
    pub label: &'static str,
    /// One line of help.
    pub help: &'static str,
}

const fn entry(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    group: Group,
    label: &'static str,
    help: &'static str,
) -> ActionEntry {
    ActionEntry { action, name, keys, group, label, help }
}

/// Every action, in the order in which they are read.
pub const TABLE: &[ActionEntry] = &[
    entry(Action::Down, "down", &["j", "down"], Group::Moving, "down", "Move down"),
    entry(Action::Up, "up", &["k", "up"], Group::Moving, "up", "Move up"),
    entry(Action::HalfPageDown, "half-page-down", &["ctrl-d"], Group::Moving, "half page", "Half page down"),
    entry(Action::HalfPageUp, "half-page-up", &["ctrl-u"], Group::Moving, "half page up", "Half page up"),
    entry(Action::PageDown, "page-down", &["pagedown", "ctrl-f"], Group::Moving, "page down", "Page down"),
    entry(Action::PageUp, "page-up", &["pageup", "ctrl-b"], Group::Moving, "page up", "Page up"),
    entry(Action::First, "first", &["g g", "home"], Group::Moving, "top", "Go to top"),
    entry(Action::Last, "last", &["G", "end"], Group::Moving, "bottom", "Go to bottom"),
    entry(Action::NextSibling, "next-sibling", &["J"], Group::Moving, "next", "Next sibling"),
    entry(Action::PreviousSibling, "previous-sibling", &["K"], Group::Moving, "previous", "Previous sibling"),
    entry(Action::Open, "open", &["l", "right"], Group::Folding, "expand", "Expand, or go to first child"),
    entry(Action::Close, "close", &["h", "left"], Group::Folding, "collapse", "Collapse, or go to parent"),
    entry(Action::ToggleFold, "toggle-fold", &["enter"], Group::Folding, "expand/collapse", "Expand or collapse"),
    entry(Action::ExpandSubtree, "expand-subtree", &["*"], Group::Folding, "expand all", "Expand all below"),
    entry(Action::FoldToLevel(1), "fold-to-level-1", &["z 1"], Group::Folding, "collapse all", "Collapse all"),
    entry(Action::FoldToLevel(2), "fold-to-level-2", &["z 2"], Group::Folding, "level 2", "Expand to level 2"),
    entry(Action::FoldToLevel(3), "fold-to-level-3", &["z 3"], Group::Folding, "level 3", "Expand to level 3"),
    entry(Action::FoldToLevel(4), "fold-to-level-4", &["z 4"], Group::Folding, "level 4", "Expand to level 4"),
    entry(Action::FoldToLevel(5), "fold-to-level-5", &["z 5"], Group::Folding, "level 5", "Expand to level 5"),
    entry(Action::FoldToLevel(6), "fold-to-level-6", &["z 6"], Group::Folding, "level 6", "Expand to level 6"),
    entry(Action::FoldToLevel(7), "fold-to-level-7", &["z 7"], Group::Folding, "level 7", "Expand to level 7"),
    entry(Action::FoldToLevel(8), "fold-to-level-8", &["z 8"], Group::Folding, "level 8", "Expand to level 8"),
    entry(Action::FoldToLevel(9), "fold-to-level-9", &["z 9"], Group::Folding, "level 9", "Expand to level 9"),
    entry(Action::FoldToLevel(0), "unfold-all", &["z 0"], Group::Folding, "expand all", "Expand all"),
    entry(Action::Find, "find", &["/"], Group::Finding, "filter", "Filter…"),
    entry(Action::NextMatch, "next-match", &["n"], Group::Finding, "next", "Next match"),
    entry(Action::PreviousMatch, "previous-match", &["N"], Group::Finding, "previous", "Previous match"),
    entry(Action::Jump, "jump", &["f"], Group::Finding, "go to ID", "Go to ID or external ID…"),
    entry(Action::Back, "back", &["ctrl-o", "alt-left"], Group::Finding, "back", "Back"),
    entry(Action::Forward, "forward", &["alt-right", "ctrl-i"], Group::Finding, "forward", "Forward"),
    entry(Action::Bookmark, "bookmark", &["b"], Group::Finding, "bookmark", "Set bookmark…"),
    entry(Action::GoToBookmark, "go-to-bookmark", &["'"], Group::Finding, "go to bookmark", "Go to bookmark…"),
    entry(Action::Check, "check", &["C"], Group::Finding, "check", "Check for problems in the data"),
    entry(Action::AddChild, "add-child", &["a"], Group::Changing, "add", "Add child"),
    entry(Action::AddSibling, "add-sibling", &["A"], Group::Changing, "add sibling", "Add sibling"),
    entry(Action::Edit, "edit", &["e"], Group::Changing, "edit", "Edit fields…"),
    entry(Action::EditAsText, "edit-as-text", &["E"], Group::Changing, "edit text", "Edit subtree in $EDITOR"),
    entry(Action::Rename, "rename", &["r", "f2"], Group::Changing, "rename", "Rename"),
    entry(Action::Move, "move", &["m"], Group::Changing, "move", "Move to…"),
    entry(Action::Cut, "cut", &["x"], Group::Changing, "cut", "Cut"),
    entry(Action::Paste, "paste", &["p"], Group::Changing, "paste", "Paste as children here"),
    entry(Action::Delete, "delete", &["d", "delete"], Group::Changing, "delete", "Delete…"),
    entry(Action::Resolve, "resolve", &["!"], Group::Changing, "resolve", "Resolve problem"),
    entry(Action::Undo, "undo", &["u"], Group::Changing, "undo", "Undo"),
    entry(Action::Redo, "redo", &["U"], Group::Changing, "redo", "Redo"),
    entry(Action::Repeat, "repeat", &["."], Group::Changing, "repeat", "Repeat last edit"),
    entry(Action::Stage, "stage", &["S"], Group::Changing, "stage", "Stage changes, or review staged"),
    entry(Action::ShowPending, "pending-changes", &["Q"], Group::Changing, "pending", "Pending changes"),
    entry(Action::Mark, "mark", &["space"], Group::Changing, "mark", "Mark and move down"),
    entry(Action::MarkDown, "mark-down", &["shift-down"], Group::Changing, "mark down", "Extend marks down"),
    entry(Action::MarkUp, "mark-up", &["shift-up"], Group::Changing, "mark up", "Extend marks up"),
    entry(Action::MarkRange, "mark-range", &["V"], Group::Changing, "range", "Mark range (start/end)"),
    entry(Action::MarkMatches, "mark-matches", &["ctrl-a"], Group::Changing, "mark all", "Mark all matches"),
    entry(Action::Copy(Aspect::Id), "copy-id", &["y i"], Group::Copying, "ID", "Copy ID(s)"),
    entry(Action::Copy(Aspect::Name), "copy-name", &["y n"], Group::Copying, "name", "Copy name(s)"),
    entry(
        Action::Copy(Aspect::ExternalId),
        "copy-external-id",
        &["y e"],
        Group::Copying,
        "external ID",
        "Copy external ID(s)",
    ),
    entry(Action::Copy(Aspect::Path), "copy-path", &["y p"], Group::Copying, "path", "Copy path"),
    entry(Action::Copy(Aspect::Json), "copy-json", &["y j"], Group::Copying, "JSON", "Copy as JSON"),
    entry(Action::Copy(Aspect::Subtree), "copy-subtree", &["y t"], Group::Copying, "subtree", "Copy subtree"),
    entry(Action::Copy(Aspect::Curl), "copy-curl", &["y c"], Group::Copying, "curl", "Copy as curl"),
    entry(Action::Browse, "open-in-browser", &["o"], Group::Viewing, "browser", "Open in browser"),
    entry(Action::NextPane, "next-pane", &["tab"], Group::Viewing, "next pane", "Next pane"),
    entry(Action::PreviousPane, "previous-pane", &["backtab"], Group::Viewing, "previous pane", "Previous pane"),
    entry(Action::ToggleDetails, "toggle-details", &["t d"], Group::Viewing, "details", "Toggle details"),
    entry(Action::ToggleActivity, "toggle-activity", &["t a"], Group::Viewing, "activity", "Toggle activity"),
    entry(Action::WidenTree, "widen-tree", &[">"], Group::Viewing, "wider", "Widen tree"),
    entry(Action::NarrowTree, "narrow-tree", &["<"], Group::Viewing, "narrower", "Narrow tree"),
    entry(Action::SortByName, "sort-by-name", &["s n"], Group::Viewing, "by name", "Sort by name"),
    entry(
        Action::SortByExternalId,
        "sort-by-external-id",
        &["s e"],
        Group::Viewing,
        "by external ID",
        "Sort by external ID",
    ),
    entry(Action::SortByDescendants, "sort-by-size", &["s s"], Group::Viewing, "by size", "Sort by size (descendants)"),
    entry(Action::SortByChange, "sort-by-change", &["s c"], Group::Viewing, "by change", "Sort by last changed"),
    entry(Action::Refresh, "refresh", &["ctrl-r", "f5"], Group::Program, "refresh", "Refresh now"),
    entry(Action::Reload, "reload", &["R"], Group::Program, "reload", "Reload and verify everything"),
    entry(Action::Palette, "palette", &[":", "ctrl-p"], Group::Program, "commands", "Command palette"),
    entry(Action::ShowRequests, "show-requests", &["L"], Group::Program, "requests", "Request log"),
    entry(Action::SwitchProfile, "switch-profile", &["P"], Group::Program, "profile", "Switch profile…"),
    entry(Action::Help, "help", &["?", "f1"], Group::Program, "help", "Help: keys"),
    entry(Action::Dismiss, "dismiss", &["esc"], Group::Program, "close", "Close / clear filter, cut, marks"),
    entry(Action::Suspend, "suspend", &["ctrl-z"], Group::Program, "suspend", "Suspend to shell (fg to return)"),
    entry(Action::Pause, "pause", &["ctrl-c"], Group::Program, "pause", "Pause sending, or quit"),
    entry(Action::Quit, "quit", &["q"], Group::Program, "quit", "Quit"),
];

impl Action {
    /// Its line of the table.
    ///
    /// `None` only for a level of folding that has no line of its own, and for the person's own commands.
    #[must_use]
    pub fn entry(self) -> Option<&'static ActionEntry> {
        TABLE.iter().find(|entry| entry.action == self)
    }

    /// The action of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.action)
    }

    /// Whether it wants to change something on the server.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(
            self,
            Self::AddChild
                | Self::AddSibling
                | Self::Edit
                | Self::EditAsText
                | Self::Rename
                | Self::Move
                | Self::Cut
                | Self::Paste
                | Self::Delete
                | Self::Undo
                | Self::Redo
                | Self::Repeat
                | Self::Stage
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_action_has_one_name_and_one_line() {
        let names: HashSet<_> = TABLE.iter().map(|entry| entry.name).collect();
        let actions: HashSet<_> = TABLE.iter().map(|entry| entry.action).collect();
        assert_eq!(names.len(), TABLE.len());
        assert_eq!(actions.len(), TABLE.len());
    }

    #[test]
    fn an_action_is_found_by_its_name() {
        assert_eq!(Action::named("expand-subtree"), Some(Action::ExpandSubtree));
        assert_eq!(Action::named("explode"), None);
    }
}
