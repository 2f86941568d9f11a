//! Protobuf messages ⇄ the types of `profile/` and `services/`, for profiles.

use sha2::{Digest, Sha256};

use super::convert::{category, decimal, timestamp};
use super::validate::Violations;
use crate::error::{Error, Result};
use crate::model::{Category, Owner};
use crate::profile::{BioFormat, BioStyle, CategoryProfile, Insight, Leanings, Sentence, Stats, Trait};
use crate::proto::Field;
use crate::proto::v1::{self as pb, BioFormat as PbFormat, BioStyle as PbStyle, ProfilePart};
use crate::services::{BioChange, BioQuery, BioVersion, BioView, Privacy, PrivacyChange, ProfileView};

/// What of a profile is wanted.
pub(super) struct Wanted {
    parts: Vec<ProfilePart>,
    category: Option<Category>,
    pub(super) refresh: bool,
}

impl Wanted {
    fn has(&self, part: ProfilePart) -> bool {
        self.parts.contains(&part)
    }

    fn covers(&self, category: Category) -> bool {
        self.category.is_none_or(|wanted| wanted == category)
    }
}

pub(super) fn wanted(message: pb::GetProfileRequest, mut violations: Violations) -> Result<Wanted> {
    let pb::GetProfileRequest {
        include,
        category,
        refresh,
        user_id: _,
    } = message;
    let mut parts = parts(pb::GetProfileRequest::INCLUDE, &include, &mut violations);
    if parts.is_empty() {
        parts = vec![ProfilePart::Bio, ProfilePart::Categories, ProfilePart::Stats];
    }
    if parts == [ProfilePart::Sources] {
        parts.push(ProfilePart::Bio);
    }
    let category = violations.category(pb::GetProfileRequest::CATEGORY, category);
    violations.finish(Wanted {
        parts,
        category,
        refresh: refresh.unwrap_or(false),
    })
}

fn parts(field: &'static Field, include: &[i32], violations: &mut Violations) -> Vec<ProfilePart> {
    let part = |(index, word): (usize, &i32)| {
        violations.word(field.item(index), Some(*word), |part| {
            Some(part).filter(|part| *part != ProfilePart::Unspecified)
        })
    };
    include.iter().enumerate().filter_map(part).collect()
}

pub(super) fn bio_query(message: pb::GetBioRequest, mut violations: Violations) -> Result<(BioQuery, bool)> {
    let pb::GetBioRequest {
        format,
        style,
        refresh,
        exclude_categories,
        include,
        user_id: _,
    } = message;
    let with_sources = parts(pb::GetBioRequest::INCLUDE, &include, &mut violations).contains(&ProfilePart::Sources);
    let format = format.or(format_of_style(style));
    let query = BioQuery {
        format: format_from_pb(pb::GetBioRequest::FORMAT, format, &mut violations),
        style: style_from_pb(style, &mut violations),
        exclude: violations.categories(pb::GetBioRequest::EXCLUDE_CATEGORIES, &exclude_categories),
        refresh: refresh.unwrap_or(false),
    };
    violations.finish((query, with_sources))
}

pub(super) fn bio_change(message: pb::UpdateBioRequest, mut violations: Violations) -> Result<BioChange> {
    let pb::UpdateBioRequest {
        bio,
        format,
        style,
        regenerate,
        manual_override,
        include_categories,
        exclude_categories,
        user_id: _,
    } = message;
    let regenerate = regenerate.unwrap_or(false);
    if regenerate && bio.is_some() {
        violations.add(pb::UpdateBioRequest::REGENERATE.name, "contradicts bio");
    }
    let include = violations.categories(pb::UpdateBioRequest::INCLUDE_CATEGORIES, &include_categories);
    let exclude = violations.categories(pb::UpdateBioRequest::EXCLUDE_CATEGORIES, &exclude_categories);
    if include.iter().any(|category| exclude.contains(category)) {
        violations.add(
            pb::UpdateBioRequest::EXCLUDE_CATEGORIES.name,
            "contradicts include_categories",
        );
    }
    let format = format.or(format_of_style(style));
    let change = BioChange {
        text: None,
        format: format_from_pb(pb::UpdateBioRequest::FORMAT, format, &mut violations),
        style: style_from_pb(style, &mut violations),
        regenerate,
        manual_override,
        include,
        exclude,
    };
    match bio {
        None => violations.finish(change),
        Some(bio) => Ok(BioChange {
            text: Some(manual_bio(pb::UpdateBioRequest::BIO, bio, violations)?),
            ..change
        }),
    }
}

/// A biography by hand. That it is too long is an error of its own.
pub(super) fn manual_bio(field: &'static Field, text: String, mut violations: Violations) -> Result<String> {
    let text = text.trim().to_owned();
    if text.is_empty() || text.contains('\0') {
        let reason = format!(
            "must be 1 to {} characters, not all blank, without NUL",
            field.max_length
        );
        violations.add(field.name, reason);
    }
    let text = violations.finish(text)?;
    match text.chars().count() {
        length if length > field.max_length => Err(Error::BioTooLong {
            length,
            max: field.max_length,
        }),
        _ => Ok(text),
    }
}

fn format_from_pb(field: &'static Field, word: Option<i32>, violations: &mut Violations) -> Option<BioFormat> {
    match PbFormat::try_from(word?) {
        Ok(PbFormat::Full) => Some(BioFormat::Full),
        Ok(PbFormat::Short) => Some(BioFormat::Short),
        Ok(PbFormat::Bullets) => Some(BioFormat::Bullets),
        Ok(PbFormat::Professional) => Some(BioFormat::Professional),
        Ok(PbFormat::Unspecified) | Err(_) => {
            violations.add_format(field);
            None
        }
    }
}

/// The format that a style stands for where none is given.
fn format_of_style(style: Option<i32>) -> Option<i32> {
    (style == Some(PbStyle::Professional.into())).then(|| PbFormat::Professional.into())
}

fn style_from_pb(word: Option<i32>, violations: &mut Violations) -> Option<BioStyle> {
    match PbStyle::try_from(word?) {
        Ok(PbStyle::Narrative) => Some(BioStyle::Narrative),
        Ok(PbStyle::Factual) => Some(BioStyle::Factual),
        Ok(PbStyle::Casual) => Some(BioStyle::Casual),
        Ok(PbStyle::Formal | PbStyle::Professional) => Some(BioStyle::Formal),
        Ok(PbStyle::Unspecified) | Err(_) => {
            violations.add("style", "must be one of: narrative, factual, casual, formal");
            None
        }
    }
}

fn format(format: BioFormat) -> i32 {
    match format {
        BioFormat::Full => PbFormat::Full,
        BioFormat::Short => PbFormat::Short,
        BioFormat::Bullets => PbFormat::Bullets,
        BioFormat::Professional => PbFormat::Professional,
    }
    .into()
}

fn style(style: BioStyle) -> i32 {
    match style {
        BioStyle::Narrative => PbStyle::Narrative,
        BioStyle::Factual => PbStyle::Factual,
        BioStyle::Casual => PbStyle::Casual,
        BioStyle::Formal => PbStyle::Formal,
    }
    .into()
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn word_count(text: &str) -> i32 {
    count(text.split_whitespace().filter(|word| *word != "-").count())
}

fn sources(sentences: &[Sentence]) -> Vec<pb::BioSentence> {
    let sentence = |sentence: &Sentence| pb::BioSentence {
        text: sentence.text.clone(),
        memory_ids: sentence.memories.iter().map(ToString::to_string).collect(),
    };
    sentences.iter().map(sentence).collect()
}

fn source_memories(sentences: &[Sentence]) -> usize {
    let mut ids: Vec<&str> = sentences
        .iter()
        .flat_map(|s| &s.memories)
        .map(|id| id.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len()
}

pub(super) fn bio_response(bio: BioView, with_sources: bool) -> pb::GetBioResponse {
    pb::GetBioResponse {
        format: format(bio.format),
        style: style(bio.style),
        word_count: word_count(&bio.text),
        character_count: count(bio.text.chars().count()),
        confidence: decimal(bio.confidence),
        source_memories: count(source_memories(&bio.sentences)),
        categories_included: bio.categories.into_iter().map(category).collect(),
        key_themes: bio.themes,
        generated_at: Some(timestamp(bio.generated_at)),
        expires_at: bio.expires_at.map(timestamp),
        is_manual: bio.is_manual,
        sources: if with_sources {
            sources(&bio.sentences)
        } else {
            Vec::new()
        },
        bio: bio.text,
    }
}

pub(super) fn update_response(bio: BioView) -> pb::UpdateBioResponse {
    pb::UpdateBioResponse {
        format: format(bio.format),
        style: style(bio.style),
        word_count: word_count(&bio.text),
        character_count: count(bio.text.chars().count()),
        is_manual: bio.is_manual,
        updated_at: Some(timestamp(bio.updated_at)),
        bio: bio.text,
    }
}

pub(super) fn profile_response(owner: Owner, profile: &ProfileView, wanted: &Wanted) -> pb::GetProfileResponse {
    let derived = &profile.derived;
    let at = timestamp(profile.derived_at);
    let shows_categories = wanted.has(ProfilePart::Categories) && profile.shows_categories;
    let categories = derived
        .categories
        .iter()
        .filter(|(c, _)| shows_categories && wanted.covers(**c));
    let shows_insights = wanted.has(ProfilePart::Insights) && profile.privacy.insights_enabled;
    let insights = derived
        .insights
        .iter()
        .filter(|i| shows_insights && wanted.covers(i.category));
    let shows_traits = wanted.has(ProfilePart::Traits) && profile.privacy.trait_analysis_enabled;
    let traits = derived
        .traits
        .iter()
        .filter(|t| shows_traits && wanted.covers(t.category));
    let bio = profile.bio.as_ref().filter(|_| wanted.has(ProfilePart::Bio));
    pb::GetProfileResponse {
        user_id: owner.user_id,
        bio: bio.map(|bio| pb::ProfileBio {
            summary: bio.text.clone(),
            generated_at: Some(timestamp(bio.generated_at)),
            confidence: decimal(bio.confidence),
            word_count: word_count(&bio.text),
            sources: if wanted.has(ProfilePart::Sources) {
                sources(&bio.sentences)
            } else {
                Vec::new()
            },
        }),
        categories: categories
            .map(|(c, profile)| (c.as_str().to_owned(), category_profile(profile)))
            .collect(),
        insights: insights.map(|insight| insight_to_pb(insight, at)).collect(),
        traits: traits.map(trait_to_pb).collect(),
        stats: wanted.has(ProfilePart::Stats).then(|| stats(&derived.stats)),
        privacy_settings: Some(privacy(profile.privacy)),
        last_updated: Some(timestamp(profile.last_updated)),
    }
}

fn category_profile(profile: &CategoryProfile) -> pb::CategoryProfile {
    pb::CategoryProfile {
        summary: profile.summary.clone(),
        title: profile.title.clone(),
        key_items: profile.key_items.clone(),
        memory_count: count(profile.memory_count),
        last_updated: Some(timestamp(profile.last_updated)),
    }
}

fn insight_to_pb(insight: &Insight, generated_at: prost_types::Timestamp) -> pb::Insight {
    let said = Sha256::digest(format!("{}\n{}", insight.title, insight.category.as_str()));
    let id: String = said.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    pb::Insight {
        insight_id: format!("insight_{id}"),
        title: insight.title.clone(),
        description: insight.description.clone(),
        category: category(insight.category),
        confidence: decimal(insight.confidence),
        generated_at: Some(generated_at),
        memory_count: count(insight.memories.len()),
        memory_ids: insight.memories.iter().map(ToString::to_string).collect(),
    }
}

fn trait_to_pb(found: &Trait) -> pb::Trait {
    pb::Trait {
        r#trait: found.name.to_owned(),
        strength: decimal(found.strength),
        evidence_count: count(found.memories.len()),
        category: category(found.category),
        memory_ids: found.memories.iter().map(ToString::to_string).collect(),
    }
}

fn stats(stats: &Stats) -> pb::ProfileStats {
    let counts = |counts: &std::collections::BTreeMap<&'static str, usize>| {
        counts.iter().map(|(word, n)| ((*word).to_owned(), count(*n))).collect()
    };
    pb::ProfileStats {
        total_memories: count(stats.total_memories),
        by_category: counts(&stats.by_category),
        by_type: counts(&stats.by_type),
        date_range: stats.date_range.map(|(first, last)| pb::DateRange {
            first_memory: Some(timestamp(first)),
            last_memory: Some(timestamp(last)),
        }),
        avg_importance: decimal(stats.avg_importance),
        top_participants: stats.top_participants.clone(),
        top_locations: stats.top_locations.clone(),
    }
}

pub(super) fn user_profile_response(profile: &ProfileView) -> pb::GetUserProfileResponse {
    let Privacy {
        bio_public,
        categories_public,
        insights_enabled,
        trait_analysis_enabled,
    } = profile.privacy;
    let derived = &profile.derived;
    let categories = || derived.categories.iter().filter(|_| categories_public);
    let bio = profile.bio.as_ref().filter(|_| bio_public);
    let of_category = |(c, profile): (&Category, &CategoryProfile)| {
        let traits = derived
            .traits
            .iter()
            .filter(|t| trait_analysis_enabled && t.category == *c);
        let insights = pb::CategoryInsights {
            insights: insights_enabled.then(|| leanings(&profile.leanings)),
            derived_traits: traits.map(|t| t.name.to_owned()).collect(),
        };
        (c.as_str().to_owned(), insights)
    };
    pb::GetUserProfileResponse {
        user_bio: bio.map(|bio| bio.text.clone()).unwrap_or_default(),
        profiles: categories()
            .filter(|(_, profile)| !profile.summary.is_empty())
            .map(|(c, profile)| (c.as_str().to_owned(), profile.summary.clone()))
            .collect(),
        insights: categories()
            .filter(|_| insights_enabled || trait_analysis_enabled)
            .map(of_category)
            .collect(),
    }
}

fn leanings(leanings: &Leanings) -> pb::CategoryLeanings {
    pb::CategoryLeanings {
        common_topics: leanings.common_topics.clone(),
        communication_tone: leanings.communication_tone.unwrap_or_default().to_owned(),
        interests: leanings.interests.clone(),
        likes: leanings.likes.clone(),
        dislikes: leanings.dislikes.clone(),
    }
}

pub(super) fn privacy_change(message: pb::UpdatePrivacyRequest) -> PrivacyChange {
    let pb::UpdatePrivacyRequest {
        bio_public,
        categories_public,
        insights_enabled,
        trait_analysis_enabled,
        user_id: _,
    } = message;
    PrivacyChange {
        bio_public,
        categories_public,
        insights_enabled,
        trait_analysis_enabled,
    }
}

pub(super) const fn privacy(privacy: Privacy) -> pb::PrivacySettings {
    let Privacy {
        bio_public,
        categories_public,
        insights_enabled,
        trait_analysis_enabled,
    } = privacy;
    pb::PrivacySettings {
        bio_public,
        categories_public,
        insights_enabled,
        trait_analysis_enabled,
    }
}

pub(super) fn snapshot(version: BioVersion) -> pb::ProfileSnapshot {
    pb::ProfileSnapshot {
        version: version.version,
        bio: version.bio,
        changed_at: Some(timestamp(version.changed_at)),
        reason: version.reason,
    }
}
