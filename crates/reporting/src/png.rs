//! Charts as PNG: the same picture as the SVG, in the light colours, for programs that take no SVG.
//! Letters are drawn in a font of the system, so that two machines may draw other letters.

use fault::{Class, Fault};

/// Why a picture cannot be had as PNG.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PngError {
    /// The program was built without what draws it.
    #[error("this program was built without PNG: name an .svg file")]
    NotBuilt,
    /// Letters cannot be drawn.
    #[error(
        "no font was found on this machine to draw letters with: install one, or name an .svg file"
    )]
    NoFont,
    /// The picture cannot be drawn.
    #[error("the picture cannot be drawn as PNG: {0}")]
    Picture(String),
}

impl Fault for PngError {
    fn class(&self) -> Class {
        Class::Usage
    }
}

/// A chart of this crate as PNG, with so many pixels for each unit of the SVG, in 1..=10: with 3 a
/// picture as wide as a column of a paper has about 300 pixels an inch.
///
/// # Errors
/// A program without the feature `png`, or a machine without a font.
#[cfg(not(feature = "png"))]
pub fn png(_: &str, _: u8) -> Result<Vec<u8>, PngError> {
    Err(PngError::NotBuilt)
}

/// A chart of this crate as PNG, with so many pixels for each unit of the SVG, in 1..=10: with 3 a
/// picture as wide as a column of a paper has about 300 pixels an inch.
///
/// # Errors
/// A program without the feature `png`, or a machine without a font.
#[cfg(feature = "png")]
pub fn png(svg: &str, scale: u8) -> Result<Vec<u8>, PngError> {
    use resvg::{tiny_skia, usvg};

    let picture = |error: &dyn std::fmt::Display| PngError::Picture(error.to_string());
    let mut options = usvg::Options::default();
    options.fontdb_mut().load_system_fonts();
    let family = family(&options.fontdb).ok_or(PngError::NoFont)?;
    options.fontdb_mut().set_sans_serif_family(&family);
    options.font_family = family;
    let tree = usvg::Tree::from_str(&in_light_colours(svg), &options);
    let tree = tree.map_err(|error| picture(&error))?;
    let scale = f32::from(scale.clamp(1, 10));
    let size = tree.size().to_int_size().scale_by(scale);
    let size = size.ok_or_else(|| picture(&"it has no size"))?;
    let mut pixels = tiny_skia::Pixmap::new(size.width(), size.height())
        .ok_or_else(|| picture(&"it is too large"))?;
    let transform = tiny_skia::Transform::from_scale(scale, scale);
    resvg::render(&tree, transform, &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| picture(&error))
}

/// A font for texts without one: one of those that the picture itself asks for, else any.
#[cfg(feature = "png")]
fn family(fonts: &resvg::usvg::fontdb::Database) -> Option<String> {
    const KNOWN: [&str; 7] = [
        "Segoe UI",
        "Helvetica Neue",
        "Arial",
        "DejaVu Sans",
        "Liberation Sans",
        "Noto Sans",
        "Roboto",
    ];
    let names = || {
        let faces = fonts.faces();
        faces.flat_map(|face| face.families.iter().map(|(name, _)| name.as_str()))
    };
    let known = KNOWN
        .into_iter()
        .find(|known| names().any(|name| name == *known));
    known.or_else(|| names().next()).map(str::to_string)
}

/// Without the colours for dark pages: a picture of pixels has one background.
#[cfg(feature = "png")]
fn in_light_colours(svg: &str) -> String {
    let (Some(from), Some(to)) = (svg.find("@media"), svg.find("</style>")) else {
        return svg.to_string();
    };
    match from < to {
        true => format!("{}{}", &svg[..from], &svg[to..]),
        false => svg.to_string(),
    }
}
