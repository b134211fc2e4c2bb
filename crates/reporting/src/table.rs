//! The frame that all tables share.

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

/// A line above, below the header and at the end.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LINE)
    .header_separator(LINE)
    .bottom_border(LINE);
const LINE: LineStyle = LineStyle::none().fill('─').junction('─');

/// A table with a header, `width` columns of the terminal wide at most (as wide as it needs to be
/// where `None`).
pub(crate) fn framed<'a>(
    header: impl IntoIterator<Item = &'a str>,
    right_aligned: &[usize],
    width: Option<u16>,
) -> Table {
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_header(header.into_iter().map(Cell::new));
    match width {
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    for &column in right_aligned {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
