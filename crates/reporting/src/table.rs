//! The frame that all tables share, and how a table fits a terminal.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Row, Table, TableStyle,
    Width,
};

/// A line above, below the header and at the end.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LINE)
    .header_separator(LINE)
    .bottom_border(LINE);
const LINE: LineStyle = LineStyle::none().fill('─').junction('─');

/// Blanks on both sides of a cell.
const PADDING: usize = 2;
/// Blanks between two columns beside their padding.
const BETWEEN: usize = 1;

/// A table before it is known how wide it may be.
pub(crate) struct Frame {
    header: Vec<String>,
    right_aligned: Vec<usize>,
    rows: Vec<Row>,
    repeated: usize,
    styled: bool,
}

/// A table with a header.
pub(crate) fn framed<'a>(
    header: impl IntoIterator<Item = &'a str>,
    right_aligned: &[usize],
) -> Frame {
    Frame {
        header: header.into_iter().map(str::to_string).collect(),
        right_aligned: right_aligned.to_vec(),
        rows: Vec::new(),
        repeated: 1,
        styled: false,
    }
}

/// The first of the tables that fits, or the last one made to fit.
pub(crate) fn first_that_fits(tables: &[Frame], width: Option<u16>) -> String {
    let fits = |table: &&Frame| table.fits(width);
    match tables.iter().find(fits).or(tables.last()) {
        Some(table) => table.text(width),
        None => String::new(),
    }
}

impl Frame {
    /// How many columns at the left each block of a table that is too wide begins with.
    pub(crate) fn repeated(mut self, columns: usize) -> Self {
        self.repeated = columns;
        self
    }

    /// Whether attributes of cells are written, wherever the text goes.
    pub(crate) fn styled(mut self, styled: bool) -> Self {
        self.styled = styled;
        self
    }

    pub(crate) fn add_row(&mut self, row: impl Into<Row>) {
        self.rows.push(row.into());
    }

    /// The table, `width` columns of the terminal wide at most (as wide as it needs to be where
    /// `None`), ended by a line end. What is too wide has its texts broken between words, else
    /// its columns put into several blocks below each other. Only where not even two columns fit
    /// are words broken.
    pub(crate) fn text(&self, width: Option<u16>) -> String {
        let all: Vec<usize> = (0..self.header.len()).collect();
        let Some(width) = width.map(usize::from) else {
            return self.block(&all, None);
        };
        if self.least(&all) <= width {
            return self.block(&all, Some(width));
        }
        let blocks = self.blocks(width);
        blocks
            .iter()
            .map(|columns| self.block(columns, Some(width)))
            .collect()
    }

    /// Whether no line has to be broken.
    pub(crate) fn fits(&self, width: Option<u16>) -> bool {
        width.is_none_or(|width| self.natural() <= usize::from(width))
    }

    /// Columns of the terminal without any broken line.
    fn natural(&self) -> usize {
        let all: Vec<usize> = (0..self.header.len()).collect();
        self.needed(&all, |column| self.widths(column).1)
    }

    /// Columns of the terminal with every text broken wherever there is a blank.
    fn least(&self, columns: &[usize]) -> usize {
        self.needed(columns, |column| self.widths(column).0)
    }

    fn needed(&self, columns: &[usize], width: impl Fn(usize) -> usize) -> usize {
        let content: usize = columns.iter().map(|&column| width(column) + PADDING).sum();
        content + BETWEEN * columns.len().saturating_sub(1)
    }

    /// The least width of a column's content, and the width that it has by itself. Numbers are
    /// never broken.
    fn widths(&self, column: usize) -> (usize, usize) {
        let chars = |text: &str| text.chars().count();
        let words = |text: &str| text.split_whitespace().map(chars).max().unwrap_or(0);
        let lines = |text: &str| text.lines().map(chars).max().unwrap_or(0);
        let header = &self.header[column];
        let mut widths = (words(header), lines(header));
        for row in &self.rows {
            let Some(cell) = row.cell_iter().nth(column) else {
                continue;
            };
            let content = cell.content();
            let whole = lines(&content);
            let least = match self.right_aligned.contains(&column) {
                true => whole,
                // What is in front of a name stands for its level, and stays with it.
                false => words(&content) + content.len() - content.trim_start().len(),
            };
            widths = (widths.0.max(least), widths.1.max(whole));
        }
        widths
    }

    /// The columns of each block: as many blocks as are needed, and of much the same size.
    fn blocks(&self, width: usize) -> Vec<Vec<usize>> {
        let in_turn = |most: usize| {
            let mut blocks: Vec<Vec<usize>> = vec![(0..self.repeated).collect()];
            for column in self.repeated..self.header.len() {
                let block = blocks.last_mut().expect("there is always a block");
                block.push(column);
                let own = block.len() - self.repeated;
                if own > 1 && (own > most || self.least(block) > width) {
                    block.pop();
                    blocks.push((0..self.repeated).chain([column]).collect());
                }
            }
            blocks
        };
        let blocks = in_turn(usize::MAX);
        let own = self.header.len() - self.repeated;
        let even = in_turn(own.div_ceil(blocks.len()));
        match even.len() == blocks.len() {
            true => even,
            false => blocks,
        }
    }

    fn block(&self, columns: &[usize], width: Option<usize>) -> String {
        let mut table = Table::new();
        table
            .load_style(STYLE)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(
                columns
                    .iter()
                    .map(|&column| Cell::new(&self.header[column])),
            );
        if self.styled {
            // The caller knows better than the table whether this goes to a terminal.
            table.enforce_styling();
        }
        for row in &self.rows {
            let cells: Vec<Cell> = row.cell_iter().cloned().collect();
            let of_column = |column: &usize| cells.get(*column).cloned();
            table.add_row(columns.iter().filter_map(of_column));
        }
        for (place, column) in columns.iter().enumerate() {
            if let Some(drawn) = table.column_mut(place)
                && self.right_aligned.contains(column)
            {
                drawn.set_cell_alignment(CellAlignment::Right);
            }
        }
        if let Some(width) =
            width.filter(|&width| self.needed(columns, |column| self.widths(column).1) > width)
        {
            self.shrink(&mut table, columns, width);
        }
        format!("{}\n", table.trim_fmt())
    }

    /// Has the widest columns broken between words until the table fits.
    fn shrink(&self, table: &mut Table, columns: &[usize], width: usize) {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(u16::MAX));
        if self.least(columns) > width {
            return;
        }
        let bounds: Vec<(usize, usize)> =
            columns.iter().map(|&column| self.widths(column)).collect();
        let room = width - self.needed(columns, |_| 0);
        let mut widths: Vec<usize> = bounds.iter().map(|bounds| bounds.1).collect();
        while widths.iter().sum::<usize>() > room {
            let widest = (0..widths.len())
                .filter(|&place| widths[place] > bounds[place].0)
                .max_by_key(|&place| widths[place]);
            let Some(widest) = widest else { break };
            widths[widest] -= 1;
        }
        for (place, content) in widths.into_iter().enumerate() {
            if let Some(column) = table.column_mut(place) {
                let fixed = u16::try_from(content + PADDING).unwrap_or(u16::MAX);
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(fixed)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Frame {
        let mut table = framed(["set", "n", "why it is so", "accuracy"], &[1, 3]);
        for (set, n) in [("fresh_gaokao_2023", "30"), ("gsm8k", "1319")] {
            let why = "because the interval is wider than the margin";
            table.add_row([set, n, why, "12.5"].map(Cell::new));
        }
        table
    }

    fn widest(text: &str) -> usize {
        text.lines()
            .map(|line| line.chars().count())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn a_table_is_as_wide_as_it_needs_to_be_without_a_terminal() {
        assert_eq!(widest(&sample().text(None)), sample().natural());
    }

    #[test]
    fn a_table_fits_every_terminal_that_two_columns_fit() {
        for width in 30..100 {
            let text = sample().text(Some(width));
            assert!(widest(&text) <= usize::from(width), "{width}:\n{text}");
            for word in ["fresh_gaokao_2023", "because", "interval", "1319", "12.5"] {
                assert!(text.contains(word), "{width}: {word} is broken\n{text}");
            }
        }
    }

    #[test]
    fn columns_that_do_not_fit_stand_in_blocks_of_much_the_same_size() {
        let names: Vec<String> = (0..7).map(|column| format!("column{column}")).collect();
        let header = std::iter::once("set").chain(names.iter().map(String::as_str));
        let mut table = framed(header, &[1, 2, 3, 4, 5, 6, 7]);
        table.add_row((0..8).map(|cell| cell.to_string()));
        let text = table.text(Some(60));
        let headers: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("column"))
            .collect();
        assert_eq!(headers.len(), 2, "{text}");
        assert!(
            headers.iter().all(|header| header.starts_with(" set")),
            "{text}"
        );
        assert_eq!(headers[0].matches("column").count(), 4);
    }

    #[test]
    fn the_first_table_that_fits_is_taken() {
        let named = |name: &str| {
            let mut table = framed(["set", "n"], &[1]);
            table.add_row([name, "1"].map(Cell::new));
            table
        };
        let tables = [named("Fresh-GaokaoMath-2023"), named("fresh")];
        assert!(first_that_fits(&tables, None).contains("Math-2023"));
        assert!(first_that_fits(&tables, Some(20)).contains(" fresh "));
    }
}
