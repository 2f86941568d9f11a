//! Whatever accounts and people do in whatever order, no answer holds another's words or ids.

use std::collections::BTreeSet;

use memsync::proto::v1::{self as pb};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use tonic::Code;

use crate::support::{Answer, DEFAULT_SCOPES, Rest, TestServer, conversation};

/// Two accounts with the same people: the account's own, two whose names begin alike, and one who is named as an account.
const ACCOUNTS: [&str; 2] = ["ada@example.com", "grace@example.com"];
const PEOPLE: [Option<&str>; 4] = [None, Some("p1"), Some("p11"), Some("grace@example.com")];
/// A made-up word for each person of each account, which nobody else ever says.
const WORDS: [&str; 8] = [
    "Velmora", "Quistag", "Brondel", "Zafrine", "Oskalith", "Trevuno", "Jamborek", "Wyndalos",
];
const SENTENCES: [&str; 5] = [
    "I live in WORD.",
    "I work as a nurse at the WORD hospital.",
    "My sister WORD loves hiking in the mountains.",
    "I bought a WORD bicycle yesterday.",
    "My favourite food is WORD soup.",
];
const QUESTIONS: [&str; 4] = [
    "Where does WORD live and work?",
    "WORD",
    "What food, family and hobbies does the user have?",
    "Which bicycle was bought?",
];

/// How a request names its person.
#[derive(Clone, Copy, Debug)]
enum By {
    Message,
    Header,
    Grpc,
}

#[derive(Clone, Debug)]
enum Step {
    Store(Vec<Index>),
    Search {
        question: Index,
        about: Index,
        rerank: bool,
    },
    List {
        page_size: u8,
        sort: Index,
    },
    /// A memory of anybody.
    Get(Index),
    /// A memory of anybody, with words of one's own.
    Change(Index),
    /// Everything of oneself.
    Erase,
}

/// Who does what.
type Turn = (Index, By, Step);

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let any_index = any::<Index>;
    let by = prop_oneof![Just(By::Message), Just(By::Header), Just(By::Grpc)];
    let search = (any_index(), any_index(), any::<bool>());
    let step = prop_oneof![
        3 => prop::collection::vec(any_index(), 1..3).prop_map(Step::Store),
        3 => search.prop_map(|(question, about, rerank)| Step::Search { question, about, rerank }),
        2 => (1..=100_u8, any_index()).prop_map(|(page_size, sort)| Step::List { page_size, sort }),
        4 => any_index().prop_map(Step::Get),
        2 => any_index().prop_map(Step::Change),
        1 => Just(Step::Erase),
    ];
    prop::collection::vec((any_index(), by, step), 8..28)
}

struct Person {
    key: String,
    user_id: Option<&'static str>,
    word: &'static str,
    ids: BTreeSet<String>,
}

struct World {
    server: TestServer,
    rest: Rest,
    people: Vec<Person>,
}

impl World {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let mut people = Vec::new();
        for account in ACCOUNTS {
            let key = server.create_key(account, &DEFAULT_SCOPES).await.secret;
            for user_id in PEOPLE {
                people.push(Person {
                    key: key.clone(),
                    user_id,
                    word: WORDS[people.len()],
                    ids: BTreeSet::new(),
                });
            }
        }
        let rest = server.anonymous();
        Self { server, rest, people }
    }

    /// A client of this person, who is named by the header or not yet.
    fn client(&self, who: usize, by: By) -> Rest {
        let person = &self.people[who];
        let client = self.rest.with("x-api-key", &person.key);
        match (by, person.user_id) {
            (By::Header, Some(user_id)) => client.with("x-user-id", user_id),
            _ => client,
        }
    }

    /// The `user_id` of a message of this person.
    fn user_id(&self, who: usize, by: By) -> Option<String> {
        let user_id = self.people[who].user_id.map(str::to_owned);
        user_id.filter(|_| !matches!(by, By::Header))
    }

    fn named(&self, who: usize, by: By, mut body: Value) -> Value {
        if let Some(user_id) = self.user_id(who, by) {
            body["user_id"] = user_id.into();
        }
        body
    }

    fn query(&self, who: usize, by: By) -> String {
        let user_id = self.user_id(who, by);
        user_id.map_or_else(String::new, |user_id| format!("&user_id={user_id}"))
    }

    /// Fails where an answer to this person holds another's word or id.
    fn check(&self, who: usize, answer: &str) -> Result<(), TestCaseError> {
        for (other, person) in self.people.iter().enumerate() {
            if other != who {
                prop_assert!(!answer.contains(person.word), "{who} sees {other}: {answer}");
                prop_assert!(
                    !answer.to_lowercase().contains(&person.word.to_lowercase()),
                    "{who} sees {other}: {answer}"
                );
                let leaked = person.ids.iter().find(|id| answer.contains(id.as_str()));
                prop_assert!(leaked.is_none(), "{who} sees {leaked:?} of {other}: {answer}");
            }
        }
        Ok(())
    }

    fn check_ok(&self, who: usize, answer: &Answer) -> Result<Value, TestCaseError> {
        let text = String::from_utf8_lossy(&answer.bytes);
        prop_assert_eq!(answer.status.as_u16(), 200, "{}", text);
        self.check(who, &text)?;
        Ok(answer.json())
    }

    async fn take(&mut self, (who, by, step): Turn) -> Result<(), TestCaseError> {
        let who = who.index(self.people.len());
        match step {
            Step::Store(sentences) => self.store(who, by, &sentences).await,
            Step::Search {
                question,
                about,
                rerank,
            } => {
                let question =
                    QUESTIONS[question.index(QUESTIONS.len())].replace("WORD", WORDS[about.index(WORDS.len())]);
                self.search(who, by, question, rerank).await
            }
            Step::List { page_size, sort } => self.list(who, by, page_size, sort).await,
            Step::Get(whose) => self.get(who, by, whose).await,
            Step::Change(whose) => self.change(who, by, whose).await,
            Step::Erase => self.erase(who).await,
        }
    }

    async fn store(&mut self, who: usize, by: By, sentences: &[Index]) -> Result<(), TestCaseError> {
        let word = self.people[who].word;
        let words: Vec<String> = sentences
            .iter()
            .map(|sentence| sentence.get(&SENTENCES).replace("WORD", word))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let body = self.named(who, by, conversation("t", &words));
        let answer = self.client(who, by).post("/v1/memories", &body).await;
        let stored = self.check_ok(who, &answer)?;
        let memories = stored["memories"].as_array().unwrap();
        prop_assert!(!memories.is_empty(), "{body} {stored}");
        let ids = memories.iter();
        let ids = ids.map(|memory| memory["id"].as_str().unwrap().to_owned());
        self.people[who].ids.extend(ids);
        Ok(())
    }

    async fn search(&self, who: usize, by: By, query: String, rerank: bool) -> Result<(), TestCaseError> {
        if matches!(by, By::Grpc) {
            let request = pb::SearchMemoriesRequest {
                query,
                rerank: Some(rerank),
                user_id: self.user_id(who, by),
                ..Default::default()
            };
            let mut client = self.server.memories(&[("x-api-key", &self.people[who].key)]);
            let found = client.search_memories(request).await.unwrap().into_inner();
            return self.check(who, &format!("{found:?}"));
        }
        let body = self.named(who, by, json!({"query": query, "rerank": rerank, "limit": 100}));
        let answer = self.client(who, by).post("/v1/memories/search", &body).await;
        self.check_ok(who, &answer).map(|_| ())
    }

    async fn list(&self, who: usize, by: By, page_size: u8, sort: Index) -> Result<(), TestCaseError> {
        if matches!(by, By::Grpc) {
            let request = pb::ListMemoriesRequest {
                page_size: Some(page_size.into()),
                user_id: self.user_id(who, by),
                ..Default::default()
            };
            let mut client = self.server.memories(&[("x-api-key", &self.people[who].key)]);
            let found = client.list_memories(request).await.unwrap().into_inner();
            return self.check(who, &format!("{found:?}"));
        }
        let sort = sort.get(&["created_at", "updated_at", "importance"]);
        let path = format!("/v1/memories?page_size={page_size}&sort={sort}{}", self.query(who, by));
        let page = self.check_ok(who, &self.client(who, by).get(&path).await)?;
        let total = page["pagination"]["total_items"].as_u64().unwrap();
        prop_assert!(
            total <= self.people[who].ids.len() as u64,
            "counts no other's: {}",
            page
        );
        Ok(())
    }

    async fn get(&self, who: usize, by: By, whose: Index) -> Result<(), TestCaseError> {
        let Some(id) = self.anybodys(whose) else {
            return Ok(());
        };
        let is_own = self.people[who].ids.contains(id);
        if matches!(by, By::Grpc) {
            let request = pb::GetMemoryRequest {
                memory_id: id.clone(),
                user_id: self.user_id(who, by),
            };
            let mut client = self.server.memories(&[("x-api-key", &self.people[who].key)]);
            return match client.get_memory(request).await {
                Ok(found) => {
                    prop_assert!(is_own, "{who} gets {id}");
                    self.check(who, &format!("{found:?}"))
                }
                Err(status) => {
                    prop_assert!(!is_own && status.code() == Code::NotFound, "{who} {id}: {status:?}");
                    Ok(())
                }
            };
        }
        let path = format!("/v1/memories/{id}?{}", self.query(who, by).trim_start_matches('&'));
        self.check_one(who, is_own, &self.client(who, by).get(&path).await)
    }

    /// What others read afterwards shows whether it was their memory that changed.
    async fn change(&self, who: usize, by: By, whose: Index) -> Result<(), TestCaseError> {
        let Some(id) = self.anybodys(whose) else {
            return Ok(());
        };
        let content = format!("The user lives in {}.", self.people[who].word);
        let body = self.named(who, by, json!({"content": content}));
        let path = format!("/v1/memories/{id}");
        let answer = self.client(who, by).call("PATCH", &path, &body).await;
        self.check_one(who, self.people[who].ids.contains(id), &answer)?;
        let history = format!("{path}/history?{}", self.query(who, by).trim_start_matches('&'));
        let answer = self.client(who, by).get(&history).await;
        self.check_one(who, self.people[who].ids.contains(id), &answer)
    }

    /// What others read afterwards shows whether it was theirs that went.
    async fn erase(&mut self, who: usize) -> Result<(), TestCaseError> {
        let Some(user_id) = self.people[who].user_id else {
            return Ok(());
        };
        let path = format!("/v1/users/{user_id}/data");
        let answer = self.client(who, By::Message).delete(&path).await;
        let erased = self.check_ok(who, &answer)?;
        self.people[who].ids.clear();
        prop_assert!(erased["receipt"].is_string(), "{erased}");
        Ok(())
    }

    fn anybodys(&self, whose: Index) -> Option<&String> {
        let ids: Vec<&String> = self.people.iter().flat_map(|person| &person.ids).collect();
        (!ids.is_empty()).then(|| *whose.get(&ids))
    }

    /// An answer about one memory: one's own, or one that there is not.
    fn check_one(&self, who: usize, is_own: bool, answer: &Answer) -> Result<(), TestCaseError> {
        if is_own {
            return self.check_ok(who, answer).map(|_| ());
        }
        let text = String::from_utf8_lossy(&answer.bytes);
        prop_assert_eq!(answer.status.as_u16(), 404, "{}: {}", who, text);
        prop_assert_eq!(&answer.json()["error"]["code"], "MEMORY_NOT_FOUND");
        self.check(who, &text)
    }

    /// Everybody who stored something still finds it, and nothing else.
    async fn check_everybody(&self) -> Result<(), TestCaseError> {
        for (who, person) in self.people.iter().enumerate() {
            self.search(who, By::Message, "everything".to_owned(), false).await?;
            let path = format!("/v1/memories?page_size=100{}", self.query(who, By::Message));
            let page = self.check_ok(who, &self.client(who, By::Message).get(&path).await)?;
            let data = page["data"].as_array().unwrap();
            prop_assert_eq!(data.is_empty(), person.ids.is_empty(), "{}: {}", who, page);
            prop_assert!(data.is_empty() || page.to_string().contains(person.word), "{page}");
            for memory in data {
                prop_assert!(person.ids.contains(memory["id"].as_str().unwrap()), "{memory}");
            }
        }
        Ok(())
    }
}

#[test]
fn no_answer_ever_holds_what_another_account_or_person_said() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config {
        cases: 12,
        max_shrink_iters: 64,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&turns(), |turns| {
        runtime.block_on(async {
            let mut world = World::new().await;
            for turn in turns {
                world.take(turn).await?;
            }
            world.check_everybody().await
        })
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
