//! Exports an HTML page with a tree to fold and search, which loads nothing and sends nothing.
//!
//! Names are untrusted: they are escaped and never get into the script or the styles, and should one slip through, the page's
//! content security policy forbids it to fetch or send anything.

use std::fmt::{self, Write};

use super::part::{ExportRow, Kind, Part};
use super::xml::EscapedXml;

/// The deepest nesting. Browsers nest at most 512 elements, and a level takes three; deeper rows show their depth as a number.
const MAX_NESTING: usize = 150;
/// The number of levels that are unfolded when the page is opened.
const OPEN_LEVELS: usize = 2;

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'";
const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Writes a page of the part.
///
/// # Errors
///
/// An error of the writer.
pub fn write(out: &mut dyn Write, part: &Part<'_>, title: &str) -> fmt::Result {
    write_head(out, title)?;
    let flattened = part.entries(MAX_NESTING).any(|entry| entry.depth > entry.level);
    write_page_header(out, part, title, flattened)?;
    out.write_str("<main tabindex=\"0\" aria-label=\"Tree of segments\">\n<ul>\n")?;
    write_tree(out, part)?;
    write!(out, "</ul>\n</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n")
}

fn write_head(out: &mut dyn Write, title: &str) -> fmt::Result {
    out.write_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")?;
    writeln!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">")?;
    out.write_str(
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
          <meta name=\"color-scheme\" content=\"light dark\">\n",
    )?;
    write!(out, "<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n", EscapedXml(title))
}

/// The header above the tree. The search tools stay hidden without JavaScript, which they need.
fn write_page_header(out: &mut dyn Write, part: &Part<'_>, title: &str, flattened: bool) -> fmt::Result {
    write!(out, "<header>\n<h1>{}</h1>\n<p>{}", EscapedXml(title), part.counted())?;
    if flattened {
        write!(out, " Deeper than {MAX_NESTING} levels, the number in brackets shows the depth.")?;
    }
    out.write_str(
        "</p>\n<div id=\"tools\" role=\"search\" hidden>\n\
          <label for=\"wanted\">Search</label>\n\
          <input id=\"wanted\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" \
          placeholder=\"name, external ID or ID\">\n\
          <button id=\"unfold\" type=\"button\">Expand all</button>\n\
          <button id=\"fold\" type=\"button\">Collapse all</button>\n\
          <output id=\"found\" for=\"wanted\" aria-live=\"polite\"></output>\n\
          </div>\n</header>\n",
    )
}

fn write_tree(out: &mut dyn Write, part: &Part<'_>) -> fmt::Result {
    let mut open = 0;
    for entry in part.entries(MAX_NESTING) {
        close_levels(out, &mut open, entry.level)?;
        out.write_str("<li>")?;
        if entry.has_children {
            let state = if entry.level < OPEN_LEVELS { " open" } else { "" };
            write!(out, "<details{state}><summary>")?;
            write_row(out, &entry)?;
            out.write_str("</summary><ul>\n")?;
            open += 1;
        } else {
            write_row(out, &entry)?;
            out.write_str("</li>\n")?;
        }
    }
    close_levels(out, &mut open, 0)
}

/// Closes the open elements down to a level.
fn close_levels(out: &mut dyn Write, open: &mut usize, level: usize) -> fmt::Result {
    while *open > level {
        out.write_str("</ul></details></li>\n")?;
        *open -= 1;
    }
    Ok(())
}

fn write_row(out: &mut dyn Write, entry: &ExportRow<'_>) -> fmt::Result {
    let class = match entry.kind() {
        Kind::Segment if entry.is_match_ancestor => "row above",
        Kind::Segment => "row",
        Kind::MissingParent => "row missing",
        Kind::Heading => "row heading",
    };
    write!(out, "<span class=\"{class}\"")?;
    if let Some(id) = entry.id() {
        write!(out, " title=\"{}\"", EscapedXml(&id))?;
    }
    out.write_str(">")?;
    if entry.depth > entry.level {
        write!(out, "<span class=\"depth\">[{}]</span> ", entry.depth)?;
    }
    // `<bdi>` keeps a name in another writing direction, or with direction marks, from affecting the rest of the row.
    write!(out, "<bdi class=\"name\">{}</bdi>", EscapedXml(&entry.name()))?;
    if let Some(external_id) = entry.external_id() {
        write!(out, " <bdi class=\"external\">{}</bdi>", EscapedXml(external_id))?;
    }
    if entry.descendants() > 0 {
        write!(out, " <span class=\"count\">{}<span class=\"spoken\"> below</span></span>", entry.descendants())?;
    }
    if let Some(note) = entry.note() {
        write!(out, " <span class=\"note\">{}</span>", EscapedXml(&note))?;
    }
    out.write_str("</span>")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn rendered(forest: crate::forest::Forest) -> String {
        samples::rendered(forest, |out, part| write(out, part, "Segments of demo"))
    }

    /// The page without the styles and the script, which are always the same.
    fn without_furniture(page: &str) -> String {
        page.replace(STYLE, "…\n").replace(SCRIPT, "…\n")
    }

    #[test]
    fn a_small_tree() {
        insta::assert_snapshot!(without_furniture(&rendered(samples::faulty_forest())));
    }

    #[test]
    fn markup_in_a_name_is_shown_as_text() {
        let page = without_furniture(&rendered(samples::hostile()));
        assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (1, 1), "{page}");
        assert!(!page.contains("<i ") && !page.contains("<img"), "{page}");
        assert!(page.contains("title=\"&lt;i id=&quot;x&quot; onload=&#39;y&#39;&gt;\""), "{page}");
        assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
        assert!(!page.replace('\n', "").contains(char::is_control), "{page}");
    }

    #[test]
    fn styles_and_script_load_nothing_and_close_no_tag() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains('<'));
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--") && !SCRIPT.contains("innerHTML"));
    }

    #[test]
    fn a_long_chain_is_nested_only_as_deep_as_browsers_allow() {
        let page = rendered(samples::chain(100_000));
        assert_eq!(page.matches("<details").count(), MAX_NESTING);
        assert_eq!(page.matches("</details>").count(), MAX_NESTING);
        assert!(
            page.contains("Deeper than 150 levels") && page.contains(">[99999]</span> <bdi class=\"name\">s99999<")
        );
    }

    #[test]
    fn many_children_are_one_list() {
        let page = rendered(samples::parent_with_children(100_000));
        assert_eq!((page.matches("<details").count(), page.matches("<li>").count()), (1, 100_001));
    }
}
