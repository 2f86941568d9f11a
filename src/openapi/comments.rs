//! The comments of the protos, which become descriptions.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

/// Every comment before a declaration, by the file and the declaration's path in it.
#[derive(Debug)]
pub(super) struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    pub(super) fn read(pool: &DescriptorPool) -> Self {
        let mut comments = HashMap::new();
        for file in pool.files() {
            let info = file.file_descriptor_proto().source_code_info.as_ref();
            for location in info.iter().flat_map(|info| &info.location) {
                if let Some(comment) = &location.leading_comments {
                    let place = (file.name().to_owned(), location.path.clone());
                    comments.insert(place, flowing(comment));
                }
            }
        }
        Self(comments)
    }

    /// The comment of the declaration at a path of a file; empty where there is none.
    pub(super) fn of(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        let place = (file.name().to_owned(), path.to_vec());
        self.0.get(&place).map_or("", String::as_str)
    }
}

/// Lines as paragraphs: a comment is wrapped for an editor, a description is not.
fn flowing(comment: &str) -> String {
    let paragraphs = comment.split("\n\n");
    let joined = paragraphs.map(|lines| lines.split_whitespace().collect::<Vec<_>>().join(" "));
    joined.collect::<Vec<_>>().join("\n\n").trim().to_owned()
}

/// The first sentence without its full stop.
pub(super) fn summary(comment: &str) -> &str {
    let first = comment.split("\n\n").next().unwrap_or_default();
    let end = first.find(". ").unwrap_or(first.len());
    first[..end].trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_flows_and_its_first_sentence_is_the_summary() {
        let flowing = flowing(" Lists memories\n page by page. More here.\n\n A second paragraph.\n");
        assert_eq!(
            flowing,
            "Lists memories page by page. More here.\n\nA second paragraph."
        );
        assert_eq!(summary(&flowing), "Lists memories page by page");
    }
}
