//! A page to fold and to search, which loads nothing and tells nobody.
//!
//! Names are the words of others: they are escaped, none of them gets into the script or the styles, and the page's own policy
//! forbids it to fetch or send anything, should one get through nevertheless.

use std::fmt::{self, Write};

use super::part::{ExportRow, Kind, Part};
use super::xml::Text;

/// Levels within each other. Browsers build no more than 512 elements into each other, and a level takes three; deeper rows
/// tell their depth in figures.
const NESTED: usize = 150;
/// Levels that show what is below them when the page is opened.
const UNFOLDED: usize = 2;

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'";
const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Writes a page of the part.
///
/// # Errors
///
/// What the writer refuses.
pub fn write(out: &mut dyn Write, part: &Part<'_>, title: &str) -> fmt::Result {
    write_head(out, title)?;
    let flattened = part.entries(NESTED).any(|entry| entry.depth > entry.level);
    write_top(out, part, title, flattened)?;
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
    write!(out, "<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n", Text(title))
}

/// What stands above the tree. Without a script there is nothing to search with: then the tools stay hidden.
fn write_top(out: &mut dyn Write, part: &Part<'_>, title: &str, flattened: bool) -> fmt::Result {
    write!(out, "<header>\n<h1>{}</h1>\n<p>{}", Text(title), part.counted())?;
    if flattened {
        write!(out, " Deeper than {NESTED} levels, the number in brackets shows the depth.")?;
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
    for entry in part.entries(NESTED) {
        close(out, &mut open, entry.level)?;
        out.write_str("<li>")?;
        if entry.has_below {
            let state = if entry.level < UNFOLDED { " open" } else { "" };
            write!(out, "<details{state}><summary>")?;
            write_row(out, &entry)?;
            out.write_str("</summary><ul>\n")?;
            open += 1;
        } else {
            write_row(out, &entry)?;
            out.write_str("</li>\n")?;
        }
    }
    close(out, &mut open, 0)
}

/// Ends what is open down to a level.
fn close(out: &mut dyn Write, open: &mut usize, level: usize) -> fmt::Result {
    while *open > level {
        out.write_str("</ul></details></li>\n")?;
        *open -= 1;
    }
    Ok(())
}

fn write_row(out: &mut dyn Write, entry: &ExportRow<'_>) -> fmt::Result {
    let class = match entry.kind() {
        Kind::Segment if entry.is_above_match => "row above",
        Kind::Segment => "row",
        Kind::MissingParent => "row missing",
        Kind::Heading => "row heading",
    };
    write!(out, "<span class=\"{class}\"")?;
    if let Some(id) = entry.id() {
        write!(out, " title=\"{}\"", Text(&id))?;
    }
    out.write_str(">")?;
    if entry.depth > entry.level {
        write!(out, "<span class=\"depth\">[{}]</span> ", entry.depth)?;
    }
    // A name in another direction of writing, or with marks that turn it round, leaves the rest of the row as it is.
    write!(out, "<bdi class=\"name\">{}</bdi>", Text(&entry.name()))?;
    if let Some(external_id) = entry.external_id() {
        write!(out, " <bdi class=\"external\">{}</bdi>", Text(external_id))?;
    }
    if entry.descendants() > 0 {
        write!(out, " <span class=\"count\">{}<span class=\"spoken\"> below</span></span>", entry.descendants())?;
    }
    if let Some(note) = entry.note() {
        write!(out, " <span class=\"note\">{}</span>", Text(&note))?;
    }
    out.write_str("</span>")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn written(forest: crate::forest::Forest) -> String {
        samples::written(forest, |out, part| write(out, part, "Segments of demo"))
    }

    /// The page without the styles and the script, which are the same in all.
    fn without_furniture(page: &str) -> String {
        page.replace(STYLE, "…\n").replace(SCRIPT, "…\n")
    }

    #[test]
    fn a_small_tree() {
        insta::assert_snapshot!(without_furniture(&written(samples::troubled())));
    }

    #[test]
    fn a_name_that_is_markup_is_shown_and_does_nothing() {
        let page = without_furniture(&written(samples::hostile()));
        assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (1, 1), "{page}");
        assert!(!page.contains("<i ") && !page.contains("<img"), "{page}");
        assert!(page.contains("title=\"&lt;i id=&quot;x&quot; onload=&#39;y&#39;&gt;\""), "{page}");
        assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
        assert!(!page.replace('\n', "").contains(char::is_control), "{page}");
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere_and_its_furniture_ends_nowhere_early() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains('<'));
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--") && !SCRIPT.contains("innerHTML"));
    }

    #[test]
    fn a_long_chain_is_nested_no_deeper_than_browsers_can() {
        let page = written(samples::chain(100_000));
        assert_eq!(page.matches("<details").count(), NESTED);
        assert_eq!(page.matches("</details>").count(), NESTED);
        assert!(
            page.contains("Deeper than 150 levels") && page.contains(">[99999]</span> <bdi class=\"name\">s99999<")
        );
    }

    #[test]
    fn a_big_family_is_one_list() {
        let page = written(samples::family(100_000));
        assert_eq!((page.matches("<details").count(), page.matches("<li>").count()), (1, 100_001));
    }
}
