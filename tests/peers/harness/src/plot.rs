//! Plots with a bar for each client, and a line from the minimum to the maximum of the runs.

use std::fmt::Write;

use serde_json::Value;

use crate::plan::PEERS;
use crate::summary::{Figure, summary};

const ROW: f64 = 22.0;
const LEFT: f64 = 140.0;
const WIDTH: f64 = 520.0;
const TOP: f64 = 34.0;

/// Plots the CPU time for each answer or event, or the time of start-ups. The scale is logarithmic,
/// because the clients differ by orders of magnitude.
pub(crate) fn bars(runs: &[Value], work: &str, title: &str) -> String {
    let figures: Vec<(&str, Figure)> = PEERS
        .iter()
        .filter_map(|peer| {
            let found = summary(runs, work, peer.name, None);
            Some((peer.name, found.start_up.or(found.cpu)?))
        })
        .filter(|(_, figure)| figure.median > 0.0)
        .collect();
    let unit = match work {
        "f" => "ms from start to answer",
        work if work.starts_with('d') => "CPU µs for each event",
        _ => "CPU µs for each answer",
    };
    draw(&format!("({work}) {title}: {unit}"), &figures)
}

fn draw(title: &str, figures: &[(&str, Figure)]) -> String {
    let height = TOP + ROW * figures.len() as f64 + 26.0;
    let total = LEFT + WIDTH + 90.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {total} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{total}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"8\" y=\"20\" font-size=\"14\" font-weight=\"bold\">{title}</text>\n"
    );
    let least = figures
        .iter()
        .map(|(_, f)| f.median)
        .fold(f64::MAX, f64::min);
    let most = figures.iter().map(|(_, f)| f.most).fold(0.0, f64::max);
    let (low, high) = (least.log10().floor(), most.log10().ceil());
    let place = |value: f64| {
        let share = (value.max(1e-9).log10() - low) / (high - low).max(1.0);
        LEFT + WIDTH * share.clamp(0.0, 1.0)
    };
    let bottom = TOP + ROW * figures.len() as f64;
    let mut power = low;
    while power <= high {
        let x = place(10f64.powf(power));
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"#dddddd\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555555\">{}</text>",
            bottom + 16.0,
            10f64.powf(power),
        );
        power += 1.0;
    }
    for (row, (name, figure)) in figures.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        let middle = y + ROW / 2.0;
        let colour = match *name {
            name if name.starts_with("chatcore") => "#2f6fb3",
            name if name.starts_with("bare") || name.starts_with("raw") => "#b8b8b8",
            _ => "#d98c3f",
        };
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>\
             <rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>\
             <line x1=\"{:.1}\" y1=\"{middle:.1}\" x2=\"{:.1}\" y2=\"{middle:.1}\" stroke=\"#000000\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 6.0,
            middle + 4.0,
            y + 3.0,
            place(figure.median) - LEFT,
            ROW - 6.0,
            place(figure.least),
            place(figure.most),
            place(figure.most) + 6.0,
            middle + 4.0,
            label(figure.median),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn label(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}
