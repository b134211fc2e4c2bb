//! The page: head with its Content-Security-Policy, summary, item browser, data.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::html::escape;
use crate::{Report, blocks, charts, summary};

const STYLE: &str = include_str!("../assets/report.css");
const SCRIPT: &str = include_str!("../assets/report.js");
const BROWSER: &str = include_str!("../assets/browser.html");

/// `'sha256-…'` of an inline script or style.
fn digest(source: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(source)))
}

pub(crate) fn page(report: &Report) -> String {
    let names: Vec<&str> = report.runs.iter().map(|run| run.name.as_str()).collect();
    let title = escape(&format!("{}: mwpbench report", names.join(", ")));
    // No source but these two digests: no network, no image, no form, no base address, no frame.
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        digest(SCRIPT),
        digest(STYLE)
    );
    let data = blocks::data(report);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        escape(&policy)
    );
    page.push_str(&format!(
        "<header><h1>{}</h1><p class=\"faint\">mwpbench {}, {} problems</p></header>\n<main>\n<section id=\"summary\" aria-labelledby=\"summary-title\"><h2 id=\"summary-title\">Summary</h2>\n",
        escape(&names.join(" · ")),
        escape(&report.version),
        report.problems.len()
    ));
    page.push_str(&summary::facts(report));
    page.push_str("<div class=\"charts\">\n");
    page.push_str(&charts::charts(report));
    page.push_str("</div>\n");
    page.push_str(&summary::figures(report));
    page.push_str("</section>\n");
    page.push_str(BROWSER);
    page.push_str("</main>\n");
    page.push_str(&format!(
        "<script type=\"text/plain\" id=\"index\">{}</script>\n<script>{SCRIPT}</script>\n",
        data.index
    ));
    // Behind the script, which draws the list before they are there.
    for (number, block) in data.blocks.iter().enumerate() {
        page.push_str(&format!(
            "<script type=\"text/plain\" id=\"b{number}\">{block}</script>\n"
        ));
    }
    page.push_str("</body>\n</html>\n");
    page
}
