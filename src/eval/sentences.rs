//! Labelled sentences through the extractor: what is kept, of which type, in which categories, at what time.
//!
//! Every second line of a data set is held out: `tests/quality/README.md` describes the format.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use serde::{Deserialize, Serialize};

use crate::extraction::{self, Turn};
use crate::model::{Category, MemoryType, Role};
use crate::providers::StaticTable;

/// A sentence and what should be made of it.
#[derive(Clone, Debug)]
pub struct Sentence {
    /// What the user said.
    pub text: String,
    /// What should be remembered of it; nothing where it should be dropped.
    pub label: Option<Label>,
}

/// What should be remembered of a sentence.
#[derive(Clone, Debug)]
pub struct Label {
    /// Its type.
    pub memory_type: MemoryType,
    /// Its categories, the most fitting first.
    pub categories: Vec<Category>,
    /// The first and last day on which the thing may lie; none where the words say no time.
    pub days: Option<(NaiveDate, NaiveDate)>,
}

/// A line that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum SentenceError {
    /// The file can't be read.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// A line is not of the format.
    #[error("line {0}: {1}")]
    Line(usize, String),
}

#[derive(Deserialize)]
struct Line {
    text: String,
    keep: bool,
    r#type: Option<String>,
    #[serde(default)]
    categories: Vec<String>,
    event_time: Option<String>,
}

/// Figures of one half of a data set, each between 0 and 1.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ExtractFigures {
    /// Sentences.
    pub n: usize,
    /// Share of sentences that are rightly kept or dropped.
    pub keep: f64,
    /// Of those that are rightly kept: share with the right type.
    pub memory_type: f64,
    /// Of those that are rightly kept: F1 over all pairs of sentence and category.
    pub category_micro_f1: f64,
    /// Of those that are rightly kept: share whose first category is the right first one.
    pub first_category: f64,
    /// Of those that are rightly kept: share with a time in the labelled days, or rightly without.
    pub event_time: f64,
    /// Precision and recall of each class: `keep`, `drop`, both types, the ten categories.
    pub classes: BTreeMap<String, ClassFigures>,
    /// How often a first category (outer) was given as another (inner).
    pub confusion: BTreeMap<String, BTreeMap<String, usize>>,
}

/// Figures of one class.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ClassFigures {
    /// Sentences that are labelled so.
    pub n: usize,
    /// Share of those given so that are labelled so.
    pub precision: f64,
    /// Share of those labelled so that are given so.
    pub recall: f64,
}

/// A sentence that was judged differently.
#[derive(Clone, Debug, Serialize)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The sentence.
    pub text: String,
    /// What is wrong: wanted, then given.
    pub fault: String,
}

/// What came of an evaluation.
#[derive(Clone, Debug, Serialize)]
pub struct ExtractReport {
    /// The half that rules are made with.
    pub fit: ExtractFigures,
    /// The half that is held out.
    pub held_out: ExtractFigures,
    /// Mistakes in the first of these; nobody should look at the others.
    pub mistakes: Vec<Mistake>,
}

/// What the extractor makes of a sentence.
struct Given {
    memory_type: MemoryType,
    categories: Vec<Category>,
    event_time: Option<DateTime<Utc>>,
}

#[derive(Default)]
struct Counts {
    labelled: usize,
    given: usize,
    both: usize,
}

#[derive(Default)]
struct Tally {
    sentences: usize,
    kept_right: usize,
    compared: usize,
    types_right: usize,
    first_right: usize,
    times_right: usize,
    classes: BTreeMap<String, Counts>,
    confusion: BTreeMap<String, BTreeMap<String, usize>>,
}

/// Reads labelled sentences.
pub fn load_sentences(path: &Path) -> Result<Vec<Sentence>, SentenceError> {
    let text = std::fs::read_to_string(path)?;
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| sentence(line).map_err(|fault| SentenceError::Line(at + 1, fault)))
        .collect()
}

fn sentence(line: &str) -> Result<Sentence, String> {
    let line: Line = serde_json::from_str(line).map_err(|e| e.to_string())?;
    if !line.keep {
        return Ok(Sentence {
            text: line.text,
            label: None,
        });
    }
    let words = |word: &String| word.parse().map_err(|e: crate::model::UnknownWord| e.to_string());
    let categories: Vec<Category> = line.categories.iter().map(words).collect::<Result<_, _>>()?;
    if categories.is_empty() {
        return Err("categories: must be one to three".to_owned());
    }
    let memory_type = line.r#type.ok_or("type: is missing")?;
    Ok(Sentence {
        text: line.text,
        label: Some(Label {
            memory_type: memory_type
                .parse()
                .map_err(|e: crate::model::UnknownWord| e.to_string())?,
            categories,
            days: line.event_time.map(|days| period(&days)).transpose()?,
        }),
    })
}

fn period(text: &str) -> Result<(NaiveDate, NaiveDate), String> {
    let day = |text: &str| text.parse::<NaiveDate>().map_err(|e| format!("event_time: {e}"));
    match text.split_once('/') {
        Some((first, last)) => Ok((day(first)?, day(last)?)),
        None => day(text).map(|day| (day, day)),
    }
}

/// When the sentences are said.
pub(super) fn said_at() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 14, 12, 0, 0).single().unwrap_or_default()
}

/// Runs every sentence through the extractor.
pub fn extract(sentences: &[Sentence]) -> ExtractReport {
    let mut tallies = [Tally::default(), Tally::default()];
    let mut mistakes = Vec::new();
    for (at, sentence) in sentences.iter().enumerate() {
        let given = given(&sentence.text);
        let faults = tallies[at % 2].add(sentence.label.as_ref(), given.as_ref());
        if at % 2 == 0 {
            mistakes.extend(faults.into_iter().map(|fault| Mistake {
                line: at + 1,
                text: sentence.text.clone(),
                fault,
            }));
        }
    }
    let [fit, held_out] = tallies.map(Tally::figures);
    ExtractReport {
        fit,
        held_out,
        mistakes,
    }
}

fn given(text: &str) -> Option<Given> {
    let turn = Turn {
        role: Role::User,
        name: None,
        content: text,
        sent_at: said_at().fixed_offset(),
    };
    let candidates = extraction::extract(&[turn], &|text| StaticTable::built_in().encode(text)).facts;
    let first = candidates.first()?;
    let mut categories: Vec<Category> = Vec::new();
    for category in candidates.iter().flat_map(|candidate| &candidate.categories) {
        if !categories.contains(category) {
            categories.push(*category);
        }
    }
    Some(Given {
        memory_type: first.memory_type,
        categories,
        event_time: candidates.iter().find_map(|candidate| candidate.event_time),
    })
}

impl Tally {
    /// Counts a sentence; gives what is wrong.
    fn add(&mut self, label: Option<&Label>, given: Option<&Given>) -> Vec<String> {
        self.sentences += 1;
        let word = |kept: bool| if kept { "keep" } else { "drop" };
        self.count(word(label.is_some()), word(given.is_some()));
        let (label, given) = match (label, given) {
            (Some(label), Some(given)) => (label, given),
            (None, None) => {
                self.kept_right += 1;
                return Vec::new();
            }
            (wanted, _) => return vec![format!("should {}", word(wanted.is_some()))],
        };
        self.kept_right += 1;
        self.compared += 1;
        let mut faults = Vec::new();
        self.count(label.memory_type.as_str(), given.memory_type.as_str());
        if label.memory_type == given.memory_type {
            self.types_right += 1;
        } else {
            faults.push(format!(
                "{} → {}",
                label.memory_type.as_str(),
                given.memory_type.as_str()
            ));
        }
        for category in Category::ALL {
            let counts = self.classes.entry(category.as_str().to_owned()).or_default();
            let (wanted, got) = (
                label.categories.contains(&category),
                given.categories.contains(&category),
            );
            counts.labelled += usize::from(wanted);
            counts.given += usize::from(got);
            counts.both += usize::from(wanted && got);
        }
        let (wanted, got) = (label.categories[0], given.categories.first().copied());
        let row = self.confusion.entry(wanted.as_str().to_owned()).or_default();
        *row.entry(got.map_or("", Category::as_str).to_owned()).or_default() += 1;
        self.first_right += usize::from(Some(wanted) == got);
        let mut sets = [label.categories.clone(), given.categories.clone()];
        sets.iter_mut().for_each(|set| set.sort_unstable());
        if sets[0] != sets[1] {
            faults.push(format!("{:?} → {:?}", label.categories, given.categories));
        }
        let day = given.event_time.map(|time| time.date_naive());
        let time_fits = match (label.days, day) {
            (None, None) => true,
            (Some((first, last)), Some(day)) => (first..=last).contains(&day),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if time_fits {
            self.times_right += 1;
        } else {
            faults.push(format!("{:?} → {day:?}", label.days));
        }
        faults
    }

    fn count(&mut self, wanted: &str, got: &str) {
        self.classes.entry(wanted.to_owned()).or_default().labelled += 1;
        let counts = self.classes.entry(got.to_owned()).or_default();
        counts.given += 1;
        counts.both += usize::from(wanted == got);
    }

    fn figures(self) -> ExtractFigures {
        let of_categories = Category::ALL.iter().filter_map(|c| self.classes.get(c.as_str()));
        let (mut both, mut all) = (0, 0);
        for counts in of_categories {
            both += counts.both;
            all += counts.labelled + counts.given;
        }
        let classes = self.classes.iter().map(|(name, counts)| {
            let figures = ClassFigures {
                n: counts.labelled,
                precision: share(counts.both, counts.given),
                recall: share(counts.both, counts.labelled),
            };
            (name.clone(), figures)
        });
        ExtractFigures {
            n: self.sentences,
            keep: share(self.kept_right, self.sentences),
            memory_type: share(self.types_right, self.compared),
            category_micro_f1: share(2 * both, all),
            first_category: share(self.first_right, self.compared),
            event_time: share(self.times_right, self.compared),
            classes: classes.collect(),
            confusion: self.confusion,
        }
    }
}

/// One figure of many.
type Pick = fn(&ExtractFigures) -> f64;

fn share(part: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

impl fmt::Display for ExtractReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "                   fit half  held-out half")?;
        writeln!(f, "sentences       {:>11} {:>14}", self.fit.n, self.held_out.n)?;
        let pick: [(&str, Pick); 5] = [
            ("keep or drop", |figures| figures.keep),
            ("type", |figures| figures.memory_type),
            ("categories, F1", |figures| figures.category_micro_f1),
            ("first category", |figures| figures.first_category),
            ("event time", |figures| figures.event_time),
        ];
        for (name, of) in pick {
            writeln!(f, "{name:<15} {:>11.3} {:>14.3}", of(&self.fit), of(&self.held_out))?;
        }
        writeln!(f, "\nheld-out half      n  precision  recall")?;
        for (name, class) in &self.held_out.classes {
            writeln!(
                f,
                "{name:<14} {:>5} {:>10.3} {:>7.3}",
                class.n, class.precision, class.recall
            )?;
        }
        writeln!(f, "\nheld-out half: first category labelled (row) and given")?;
        let names = Category::ALL.map(Category::as_str);
        write!(f, "{:<14}", "")?;
        for name in names {
            write!(f, "{:>6.5}", name)?;
        }
        for row in names {
            write!(f, "\n{row:<14}")?;
            for column in names {
                let count = self.held_out.confusion.get(row).and_then(|row| row.get(column));
                write!(f, "{:>6}", count.copied().unwrap_or(0))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_count_what_was_judged_as_labelled() {
        let lines = [
            r#"{"text":"I work as a nurse.","keep":true,"type":"semantic","categories":["career"]}"#,
            r#"{"text":"Thanks!","keep":false}"#,
            r#"{"text":"I went to the dentist yesterday.","keep":true,"type":"episodic","categories":["health"],"event_time":"2026-03-13"}"#,
        ];
        let sentences: Vec<Sentence> = lines.iter().map(|line| sentence(line).unwrap()).collect();
        let report = extract(&sentences);
        assert_eq!((report.fit.n, report.held_out.n), (2, 1));
        assert_eq!(
            (report.fit.keep, report.fit.memory_type, report.fit.event_time),
            (1.0, 1.0, 1.0)
        );
        assert_eq!(report.held_out.keep, 1.0);
        assert_eq!(report.fit.classes["semantic"].recall, 1.0);
    }

    #[test]
    fn a_bad_line_is_named() {
        for (line, fault) in [
            (r#"{"text":"x","keep":true,"categories":["career"]}"#, "type"),
            (r#"{"text":"x","keep":true,"type":"semantic"}"#, "categories"),
            (
                r#"{"text":"x","keep":true,"type":"semantic","categories":["career"],"event_time":"soon"}"#,
                "event_time",
            ),
            ("{", "EOF"),
        ] {
            assert!(sentence(line).unwrap_err().contains(fault), "{line}");
        }
    }
}
