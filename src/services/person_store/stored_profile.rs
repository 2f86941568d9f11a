//! A profile as the database keeps it, and as it is given.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Category, MemoryId};
use crate::profile::{Bio, BioFormat, BioRequest, BioStyle, Sentence};
use crate::store::ProfileRow;

/// How long a biography stays.
pub(in crate::services) const STALE: TimeDelta = TimeDelta::days(7);

/// What is given to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Privacy {
    /// Whether the biography is for everyone who may read the profile.
    pub bio_public: bool,
    /// Whether summaries of categories are.
    pub categories_public: bool,
    /// Whether insights are derived.
    pub insights_enabled: bool,
    /// Whether traits are.
    pub trait_analysis_enabled: bool,
}

impl Default for Privacy {
    fn default() -> Self {
        Self {
            bio_public: true,
            categories_public: true,
            insights_enabled: true,
            trait_analysis_enabled: true,
        }
    }
}

/// How a biography is to be written, as the database keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::services) struct Settings {
    pub(in crate::services) format: Option<String>,
    pub(in crate::services) style: Option<String>,
    pub(in crate::services) include: Vec<String>,
    pub(in crate::services) exclude: Vec<String>,
    /// A biography by hand stays.
    pub(in crate::services) manual_override: bool,
    pub(in crate::services) privacy: Privacy,
}

/// A biography, as the database keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::services) struct StoredBio {
    sentences: Vec<StoredSentence>,
    format: String,
    style: String,
    confidence: f32,
    categories: Vec<String>,
    themes: Vec<String>,
    /// Absent in what was written before it was known.
    #[serde(default)]
    named_by: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredSentence {
    text: String,
    memories: Vec<String>,
}

/// A biography as it is given.
#[derive(Clone, Debug, PartialEq)]
pub struct BioView {
    /// What it says.
    pub text: String,
    /// Its sentences, where it was written from memories.
    pub sentences: Vec<Sentence>,
    /// How long.
    pub format: BioFormat,
    /// How worded.
    pub style: BioStyle,
    /// How far it can be relied on.
    pub confidence: f32,
    /// Categories of the memories behind it.
    pub categories: Vec<Category>,
    /// What comes up most.
    pub themes: Vec<String>,
    /// When it was written.
    pub generated_at: DateTime<Utc>,
    /// When it is written anew; never by itself when absent.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it was set by hand.
    pub is_manual: bool,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Settings {
    pub(in crate::services) fn request(&self) -> BioRequest {
        let parsed = |words: &[String]| words.iter().filter_map(|word| word.parse().ok()).collect();
        BioRequest {
            format: self
                .format
                .as_ref()
                .and_then(|word| word.parse().ok())
                .unwrap_or_default(),
            style: self
                .style
                .as_ref()
                .and_then(|word| word.parse().ok())
                .unwrap_or_default(),
            include: parsed(&self.include),
            exclude: parsed(&self.exclude),
        }
    }
}

impl StoredBio {
    pub(in crate::services) fn of(bio: &Bio, request: &BioRequest) -> Self {
        let sentence = |sentence: &Sentence| StoredSentence {
            text: sentence.text.clone(),
            memories: sentence.memories.iter().map(|id| id.as_str().to_owned()).collect(),
        };
        Self {
            sentences: bio.sentences.iter().map(sentence).collect(),
            format: request.format.as_str().to_owned(),
            style: request.style.as_str().to_owned(),
            confidence: bio.confidence,
            categories: bio
                .categories
                .iter()
                .map(|category| category.as_str().to_owned())
                .collect(),
            themes: bio.themes.clone(),
            named_by: bio.named_by.as_ref().map(ToString::to_string),
        }
    }

    fn bio(&self) -> Bio {
        let sentence = |sentence: &StoredSentence| Sentence {
            text: sentence.text.clone(),
            memories: sentence.memories.iter().map(MemoryId::from_stored).collect(),
        };
        Bio {
            sentences: self.sentences.iter().map(sentence).collect(),
            confidence: self.confidence,
            categories: self.categories.iter().filter_map(|word| word.parse().ok()).collect(),
            themes: self.themes.clone(),
            named_by: self.named_by.as_ref().map(MemoryId::from_stored),
        }
    }

    fn format(&self) -> BioFormat {
        self.format.parse().unwrap_or_default()
    }
}

pub(in crate::services) fn new_row(now: DateTime<Utc>) -> ProfileRow {
    ProfileRow {
        bio: None,
        sources: Vec::new(),
        is_manual: false,
        settings: serde_json::Value::Object(serde_json::Map::new()),
        memory_count: 0,
        version: 0,
        generated_at: None,
        refreshed_at: None,
        due_at: None,
        updated_at: now,
    }
}

pub(in crate::services) fn set_by_hand(
    row: &mut ProfileRow,
    text: &str,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<()> {
    let request = settings.request();
    let bio = Bio {
        sentences: vec![Sentence {
            text: text.to_owned(),
            memories: Vec::new(),
        }],
        confidence: 1.0,
        ..Bio::default()
    };
    row.bio = Some(to_json(&StoredBio {
        format: BioFormat::Full.as_str().to_owned(),
        ..StoredBio::of(&bio, &request)
    })?);
    row.sources.clear();
    row.is_manual = true;
    row.generated_at = Some(now);
    row.updated_at = now;
    row.due_at = (!settings.manual_override).then(|| now + STALE);
    Ok(())
}

pub(in crate::services) fn settings(row: &ProfileRow) -> Result<Settings> {
    serde_json::from_value(row.settings.clone()).map_err(|e| Error::Internal(Box::new(e)))
}

pub(in crate::services) fn stored(row: &ProfileRow) -> Result<Option<StoredBio>> {
    let bio = row.bio.clone().map(serde_json::from_value).transpose();
    bio.map_err(|e| Error::Internal(Box::new(e)))
}

pub(in crate::services) fn text_of(bio: &StoredBio) -> String {
    bio.bio().text(bio.format())
}

pub(in crate::services) fn view(row: &ProfileRow) -> Result<Option<BioView>> {
    let Some(stored) = stored(row)? else { return Ok(None) };
    let (bio, format) = (stored.bio(), stored.format());
    Ok(Some(BioView {
        text: bio.text(format),
        sentences: if row.is_manual { Vec::new() } else { bio.sentences },
        format,
        style: stored.style.parse().unwrap_or_default(),
        confidence: bio.confidence,
        categories: bio.categories,
        themes: bio.themes,
        generated_at: row.generated_at.unwrap_or(row.updated_at),
        expires_at: row.due_at,
        is_manual: row.is_manual,
        updated_at: row.updated_at,
    }))
}

pub(in crate::services) fn to_json(value: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|e| Error::Internal(Box::new(e)))
}
