//! Protobuf messages ⇄ the types of `services/`, for export, import and the settings of an account.

use chrono::TimeDelta;
use tonic::metadata::MetadataMap;

use super::convert::{self, decimal, struct_from_json, time_precision, timestamp};
use super::convert_changes::{memory_version, source};
use super::metadata::owner;
use super::validate::Violations;
use crate::error::Result;
use crate::model::Caller;
use crate::proto::v1::{self as pb};
use crate::services::{ExportedMemory, FORMAT, ImportFormat, ImportOptions, ImportReport, MemoryVersion};

/// The shortest lifetime other than 0, which means for ever.
const MIN_EPISODIC_LIFETIME_S: i64 = 60;

pub(super) fn export_response(exported: ExportedMemory) -> pb::ExportMemoriesResponse {
    let ExportedMemory { memory, versions } = exported;
    let shown = convert::memory(&memory);
    let sources = memory.sources.into_iter().map(source);
    pb::ExportMemoriesResponse {
        record: Some(pb::ExportedMemory {
            memory: Some(pb::Memory {
                superseded_by: memory.superseded_by.map(String::from),
                ..shown
            }),
            versions: versions.into_iter().map(exported_version).collect(),
            format: i32::try_from(FORMAT).unwrap_or(0),
            sources: sources.collect(),
            context: memory.context,
            reinforced: i64::from(memory.reinforced),
        }),
    }
}

fn exported_version(version: MemoryVersion) -> pb::MemoryVersion {
    pb::MemoryVersion {
        importance: version.importance.map(decimal),
        metadata: version.metadata.as_ref().map(struct_from_json),
        event_time: version.event_time.map(timestamp),
        event_time_precision: version.event_time_precision.map(time_precision),
        superseded_by: version.superseded_by.clone().map(String::from),
        ..memory_version(version)
    }
}

pub(super) fn import_options(
    caller: &Caller,
    metadata: &MetadataMap,
    first: &pb::ImportMemoriesRequest,
) -> Result<ImportOptions> {
    let mut violations = Violations::default();
    let names_person = first.user_id.is_some() || metadata.contains_key("x-user-id");
    let user_id = match names_person {
        true => Some(owner(caller, metadata, first.user_id.clone(), &mut violations)?.user_id),
        false => None,
    };
    let format = violations.word(pb::ImportMemoriesRequest::FORMAT, first.format, |format| {
        Some(match format {
            pb::ImportFormat::Unspecified | pb::ImportFormat::Memsync => ImportFormat::Memsync,
            pb::ImportFormat::Mem0 => ImportFormat::Mem0,
            pb::ImportFormat::Zep => ImportFormat::Zep,
        })
    });
    violations.finish(ImportOptions {
        account_id: caller.account_id.clone(),
        user_id,
        grant: caller.grant.clone(),
        format: format.unwrap_or(ImportFormat::Memsync),
        is_dry_run: first.dry_run.unwrap_or(false),
    })
}

pub(super) fn import_response(report: ImportReport) -> pb::ImportMemoriesResponse {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let errors = report.errors.into_iter().map(|(line, reason)| pb::ImportError {
        line: count(line),
        reason,
    });
    pb::ImportMemoriesResponse {
        imported: count(report.imported),
        skipped: count(report.skipped),
        errors: errors.collect(),
        failed: count(report.failed),
        preview: report.preview.iter().map(convert::memory).collect(),
    }
}

pub(super) fn settings(episodic_lifetime: Option<TimeDelta>) -> pb::MemorySettings {
    pb::MemorySettings {
        episodic_lifetime: episodic_lifetime.map(|lifetime| lifetime.num_seconds()),
    }
}

/// The new lifetime, where one is given; `Some(None)` for ever.
pub(super) fn settings_change(message: pb::UpdateMemorySettingsRequest) -> Result<Option<Option<TimeDelta>>> {
    let pb::UpdateMemorySettingsRequest { episodic_lifetime } = message;
    let Some(seconds) = episodic_lifetime else {
        return Ok(None);
    };
    let mut violations = Violations::default();
    let declared = pb::UpdateMemorySettingsRequest::EPISODIC_LIFETIME;
    let bounds = MIN_EPISODIC_LIFETIME_S..=declared.maximum;
    let lifetime = TimeDelta::try_seconds(seconds).filter(|_| bounds.contains(&seconds));
    if seconds != 0 && lifetime.is_none() {
        let (min, max) = bounds.into_inner();
        violations.add(declared.name, format!("must be 0, or {min} to {max} seconds"));
    }
    violations.finish(Some(lifetime))
}
