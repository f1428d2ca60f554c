//! What a person can ask for: one table, from which the key bindings, the footer, the help page, the configuration's names
//! and the README's list of keys all come.
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
    Forth,
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
    Reopen,
    /// Take back what was done last.
    Undo,
    /// Do again what was taken back.
    Redo,
    /// Gather edits, or show what was gathered.
    Stage,
    /// Show what waits, runs and failed.
    ShowQueue,
    /// Begin nothing more of what is under way; with nothing under way, leave.
    Stop,
    /// Mark or unmark, then one row down.
    Mark,
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
    PollNow,
    /// Find an action by its name.
    Palette,
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
            Self::UserCommands => "Your own",
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
    entry(Action::Down, "down", &["j", "down"], Group::Moving, "down", "one row down"),
    entry(Action::Up, "up", &["k", "up"], Group::Moving, "up", "one row up"),
    entry(Action::HalfPageDown, "half-page-down", &["ctrl-d"], Group::Moving, "half page", "half a screen down"),
    entry(Action::HalfPageUp, "half-page-up", &["ctrl-u"], Group::Moving, "half page up", "half a screen up"),
    entry(Action::PageDown, "page-down", &["pagedown"], Group::Moving, "page down", "one screen down"),
    entry(Action::PageUp, "page-up", &["pageup"], Group::Moving, "page up", "one screen up"),
    entry(Action::First, "first", &["g g", "home"], Group::Moving, "top", "to the first row"),
    entry(Action::Last, "last", &["G", "end"], Group::Moving, "bottom", "to the last row"),
    entry(Action::NextSibling, "next-sibling", &["J"], Group::Moving, "next", "to the next row on the same level"),
    entry(
        Action::PreviousSibling,
        "previous-sibling",
        &["K"],
        Group::Moving,
        "previous",
        "to the previous row on the same level",
    ),
    entry(Action::Open, "open", &["l", "right"], Group::Folding, "open", "unfold, or go to the first child"),
    entry(Action::Close, "close", &["h", "left"], Group::Folding, "close", "fold, or go to the parent"),
    entry(Action::ToggleFold, "toggle-fold", &["enter"], Group::Folding, "fold", "fold or unfold"),
    entry(Action::ExpandSubtree, "expand-subtree", &["*"], Group::Folding, "open all", "unfold the whole subtree"),
    entry(Action::FoldToLevel(1), "fold-to-level-1", &["z 1"], Group::Folding, "level 1", "show the top level only"),
    entry(Action::FoldToLevel(2), "fold-to-level-2", &["z 2"], Group::Folding, "level 2", "show two levels"),
    entry(Action::FoldToLevel(3), "fold-to-level-3", &["z 3"], Group::Folding, "level 3", "show three levels"),
    entry(Action::FoldToLevel(4), "fold-to-level-4", &["z 4"], Group::Folding, "level 4", "show four levels"),
    entry(Action::FoldToLevel(5), "fold-to-level-5", &["z 5"], Group::Folding, "level 5", "show five levels"),
    entry(Action::FoldToLevel(6), "fold-to-level-6", &["z 6"], Group::Folding, "level 6", "show six levels"),
    entry(Action::FoldToLevel(7), "fold-to-level-7", &["z 7"], Group::Folding, "level 7", "show seven levels"),
    entry(Action::FoldToLevel(8), "fold-to-level-8", &["z 8"], Group::Folding, "level 8", "show eight levels"),
    entry(Action::FoldToLevel(9), "fold-to-level-9", &["z 9"], Group::Folding, "level 9", "show nine levels"),
    entry(Action::FoldToLevel(0), "unfold-all", &["z 0"], Group::Folding, "all levels", "show every level"),
    entry(Action::Find, "find", &["/"], Group::Finding, "find", "filter by name, external id, id, state"),
    entry(Action::NextMatch, "next-match", &["n"], Group::Finding, "next", "to the next match"),
    entry(Action::PreviousMatch, "previous-match", &["N"], Group::Finding, "previous", "to the previous match"),
    entry(Action::Jump, "jump", &["f"], Group::Finding, "go to id", "to an exact external id or id"),
    entry(Action::Back, "back", &["ctrl-o", "alt-left"], Group::Finding, "back", "to where one was before"),
    entry(
        Action::Forth,
        "forth",
        &["alt-right", "ctrl-i"],
        Group::Finding,
        "forth",
        "to where one was before going back",
    ),
    entry(Action::Bookmark, "bookmark", &["b"], Group::Finding, "bookmark", "put a letter on it"),
    entry(
        Action::GoToBookmark,
        "go-to-bookmark",
        &["'"],
        Group::Finding,
        "to bookmark",
        "to the segment with a letter",
    ),
    entry(Action::AddChild, "add-child", &["a"], Group::Changing, "add", "create a segment below this one"),
    entry(Action::AddSibling, "add-sibling", &["A"], Group::Changing, "add beside", "create a segment beside this one"),
    entry(Action::Edit, "edit", &["e"], Group::Changing, "edit", "change all fields in a form"),
    entry(
        Action::EditAsText,
        "edit-as-text",
        &["E"],
        Group::Changing,
        "as text",
        "edit it and all below in your editor",
    ),
    entry(Action::Rename, "rename", &["r"], Group::Changing, "rename", "change the name in place"),
    entry(Action::Move, "move", &["m"], Group::Changing, "move", "pick a new parent for it or all marked"),
    entry(Action::Cut, "cut", &["x"], Group::Changing, "cut", "take it or all marked, to put elsewhere"),
    entry(Action::Paste, "paste", &["p"], Group::Changing, "paste", "move what was cut below this one"),
    entry(Action::Delete, "delete", &["d"], Group::Changing, "delete", "delete, after showing what would go"),
    entry(Action::Reopen, "reopen", &["!"], Group::Changing, "refused", "open what was refused or is in conflict"),
    entry(Action::Undo, "undo", &["u"], Group::Changing, "undo", "take back what was done last"),
    entry(Action::Redo, "redo", &["U"], Group::Changing, "redo", "do again what was taken back"),
    entry(Action::Stage, "stage", &["S"], Group::Changing, "gather", "gather edits; show what was gathered"),
    entry(Action::ShowQueue, "show-queue", &["Q"], Group::Changing, "queue", "what waits, runs and failed"),
    entry(Action::Mark, "mark", &["space"], Group::Changing, "mark", "mark or unmark, and go one row down"),
    entry(Action::MarkRange, "mark-range", &["V"], Group::Changing, "range", "begin or end marking a range"),
    entry(
        Action::MarkMatches,
        "mark-matches",
        &["ctrl-a"],
        Group::Changing,
        "mark all",
        "mark all matches of the search",
    ),
    entry(Action::Copy(Aspect::Id), "copy-id", &["y i"], Group::Copying, "id", "copy the id of it or all marked"),
    entry(Action::Copy(Aspect::Name), "copy-name", &["y n"], Group::Copying, "name", "copy the name"),
    entry(
        Action::Copy(Aspect::ExternalId),
        "copy-external-id",
        &["y e"],
        Group::Copying,
        "external id",
        "copy the external id",
    ),
    entry(Action::Copy(Aspect::Path), "copy-path", &["y p"], Group::Copying, "path", "copy the names down to it"),
    entry(Action::Copy(Aspect::Json), "copy-json", &["y j"], Group::Copying, "JSON", "copy it as JSON"),
    entry(
        Action::Copy(Aspect::Subtree),
        "copy-subtree",
        &["y t"],
        Group::Copying,
        "subtree",
        "copy it and all below it",
    ),
    entry(
        Action::Copy(Aspect::Curl),
        "copy-curl",
        &["y c"],
        Group::Copying,
        "curl",
        "copy the curl command to read it",
    ),
    entry(Action::Browse, "open-in-browser", &["o"], Group::Viewing, "browser", "open it in the browser"),
    entry(Action::NextPane, "next-pane", &["tab"], Group::Viewing, "pane", "to the next pane"),
    entry(Action::PreviousPane, "previous-pane", &["backtab"], Group::Viewing, "pane back", "to the previous pane"),
    entry(Action::ToggleDetails, "toggle-details", &["t d"], Group::Viewing, "details", "show or hide the details"),
    entry(Action::ToggleActivity, "toggle-activity", &["t a"], Group::Viewing, "activity", "show or hide the activity"),
    entry(Action::WidenTree, "widen-tree", &[">"], Group::Viewing, "wider", "more room for the tree"),
    entry(Action::NarrowTree, "narrow-tree", &["<"], Group::Viewing, "narrower", "less room for the tree"),
    entry(Action::SortByName, "sort-by-name", &["s n"], Group::Viewing, "by name", "sort by name"),
    entry(
        Action::SortByExternalId,
        "sort-by-external-id",
        &["s e"],
        Group::Viewing,
        "by external id",
        "sort by external id",
    ),
    entry(
        Action::SortByDescendants,
        "sort-by-size",
        &["s s"],
        Group::Viewing,
        "by size",
        "sort by number below, largest first",
    ),
    entry(
        Action::SortByChange,
        "sort-by-change",
        &["s c"],
        Group::Viewing,
        "by change",
        "sort by change, the last one first",
    ),
    entry(Action::PollNow, "poll-now", &["ctrl-r"], Group::Program, "check now", "ask for changes, or try again, now"),
    entry(Action::Reload, "reload", &["R"], Group::Program, "reload", "load everything anew and compare"),
    entry(Action::Palette, "palette", &[":", "ctrl-p"], Group::Program, "actions", "find an action by its name"),
    entry(Action::ShowRequests, "show-requests", &["L"], Group::Program, "requests", "what was asked of the server"),
    entry(
        Action::SwitchProfile,
        "switch-profile",
        &["P"],
        Group::Program,
        "profile",
        "to another profile, the demo, a new one",
    ),
    entry(Action::Help, "help", &["?"], Group::Program, "help", "show all keys"),
    entry(Action::Dismiss, "dismiss", &["esc"], Group::Program, "leave", "leave; clear search, cut, marks"),
    entry(Action::Suspend, "suspend", &["ctrl-z"], Group::Program, "suspend", "back to the shell until `fg`"),
    entry(Action::Stop, "stop", &["ctrl-c"], Group::Program, "stop", "begin no more writes; or leave"),
    entry(Action::Quit, "quit", &["q"], Group::Program, "quit", "leave the program"),
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
