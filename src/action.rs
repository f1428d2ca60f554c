//! All actions of the user in one table, the source of the key bindings, the footer, the help page, the names in the configuration,
//! and the list of keys in docs/keys.md.
//!
//! An action is only a request. Whether it is available is decided where the state is known.
//!
//! Custom commands are not in the table; their names come from the configuration.

mod own;

pub use own::{Output, Subjects, UserCommand};

/// An action that the user can request on the main screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Move one row down.
    Down,
    /// Move one row up.
    Up,
    /// Move one screen down.
    PageDown,
    /// Move one screen up.
    PageUp,
    /// Move half a screen down.
    HalfPageDown,
    /// Move half a screen up.
    HalfPageUp,
    /// Go to the first row.
    First,
    /// Go to the last row.
    Last,
    /// Go to the next row on the same level.
    NextSibling,
    /// Go to the previous row on the same level.
    PreviousSibling,
    /// Expand, or go to the first child.
    Open,
    /// Collapse, or go to the parent.
    Close,
    /// Expand or collapse.
    ToggleFold,
    /// Expand all descendants.
    ExpandSubtree,
    /// Expand the whole tree to this level, counting from 1; 0 expands everything.
    FoldToLevel(u8),
    /// Search.
    Find,
    /// Go to the next match.
    NextMatch,
    /// Go to the previous match.
    PreviousMatch,
    /// Go to the segment with an exact external ID or ID.
    Jump,
    /// Go back to the previous position.
    Back,
    /// Go forward again after going back.
    Forward,
    /// Bookmark the segment.
    Bookmark,
    /// Go to a bookmark.
    GoToBookmark,
    /// Create a segment below the selected one.
    AddChild,
    /// Create a segment beside the selected one.
    AddSibling,
    /// Edit all fields in a form.
    Edit,
    /// Edit many segments as indented text in an editor.
    EditAsText,
    /// Edit the name in its row.
    Rename,
    /// Pick a new parent.
    Move,
    /// Cut segments, to be moved by pasting.
    Cut,
    /// Move the cut segments here.
    Paste,
    /// Delete.
    Delete,
    /// Open a change that failed or is in conflict.
    Resolve,
    /// Undo the last change.
    Undo,
    /// Redo the last undone change.
    Redo,
    /// Repeat the last edit on the selected or marked segments.
    Repeat,
    /// Turn on staging, or review the staged changes.
    Stage,
    /// Show pending, sending and failed changes.
    ShowPending,
    /// Stop the running command, or pause sending; with nothing in progress, quit.
    Pause,
    /// Mark or unmark, then one row down.
    Mark,
    /// Mark a range that grows down.
    MarkDown,
    /// Mark a range that grows up.
    MarkUp,
    /// Start or end marking a range.
    MarkRange,
    /// Mark all matches of the search.
    MarkMatches,
    /// Copy an aspect of the selected or all marked segments to the clipboard.
    Copy(Aspect),
    /// Open the segment in the browser.
    Browse,
    /// Focus the next pane.
    NextPane,
    /// Focus the previous pane.
    PreviousPane,
    /// Show or hide the details.
    ToggleDetails,
    /// Show or hide the activity.
    ToggleActivity,
    /// Widen the tree.
    WidenTree,
    /// Narrow the tree.
    NarrowTree,
    /// Sort by name.
    SortByName,
    /// Sort by external ID.
    SortByExternalId,
    /// Sort by number of descendants.
    SortByDescendants,
    /// Sort by the last change seen.
    SortByChange,
    /// Load everything again.
    Reload,
    /// Poll for changes now.
    Refresh,
    /// Find an action by its name.
    Palette,
    /// Check the tree for problems.
    Check,
    /// Show the log of requests.
    ShowRequests,
    /// Switch to another profile, the demo or a new profile.
    SwitchProfile,
    /// Show all keys.
    Help,
    /// Close what is open, one step per press.
    Dismiss,
    /// Stop the program until the shell continues it.
    Suspend,
    /// Quit.
    Quit,
    /// Run the custom command with this number, counting from 0 in the order of the configuration.
    UserCommands(u16),
}

/// An aspect of a segment that can be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// The ID.
    Id,
    /// The name.
    Name,
    /// The external ID.
    ExternalId,
    /// The names from the root down to it.
    Path,
    /// The segment as JSON, in the API's format.
    Json,
    /// The segment and its descendants, as an outline.
    Subtree,
    /// The command that fetches it from the server.
    Curl,
}

/// The groups of actions in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Moving around.
    Moving,
    /// Expanding and collapsing.
    Folding,
    /// Searching.
    Finding,
    /// Changing segments.
    Changing,
    /// Copying to the clipboard.
    Copying,
    /// The view.
    Viewing,
    /// The server and the program itself.
    Program,
    /// Custom commands.
    UserCommands,
}

impl Group {
    /// Every group of the table, in reading order.
    pub const ALL: [Self; 7] =
        [Self::Moving, Self::Folding, Self::Finding, Self::Changing, Self::Copying, Self::Viewing, Self::Program];

    /// Returns the heading.
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
    /// The default keys, each a sequence as the keymap parses it.
    pub keys: &'static [&'static str],
    /// The group in the help.
    pub group: Group,
    /// A label of one or two words, for the footer.
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

/// Every action, in reading order.
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
    /// Returns the entry in the table.
    ///
    /// `None` only for a level without an entry of its own, and for custom commands.
    #[must_use]
    pub fn entry(self) -> Option<&'static ActionEntry> {
        TABLE.iter().find(|entry| entry.action == self)
    }

    /// Returns the action with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.action)
    }

    /// Whether it changes something on the server, or prepares to.
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
