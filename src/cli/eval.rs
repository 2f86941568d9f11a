//! Measurements on the command line.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use memsync::app::App;
use memsync::config::Config;
use memsync::eval::{self, CategoryFigures, Report, Studies};
use memsync::model::Clock;

use super::output::say;

#[derive(Subcommand)]
pub enum EvalCommand {
    /// Store the conversations of a data set in a throw-away database, ask its questions, print recall.
    Recall(Recall),
    /// Fit the classifier of the extractor, and write its weights.
    Train {
        /// Sentences with type and categories, parted by tabs; may be given several times.
        #[arg(long)]
        data: Vec<PathBuf>,
        /// Labelled sentences, whose half that is not held out is learnt from too.
        #[arg(long)]
        sentences: Option<PathBuf>,
        /// The file to write.
        #[arg(long)]
        output: PathBuf,
    },
    /// Run labelled sentences through the extractor, print how many it judges as labelled.
    Extract {
        /// The sentences, as `tests/quality/README.md` describes them.
        #[arg(long)]
        data: PathBuf,
        /// Print one JSON object instead of tables.
        #[arg(long)]
        json: bool,
        /// List what is judged otherwise in the half that is not held out.
        #[arg(long)]
        mistakes: bool,
    },
    /// Fit the classifier that says what each part of a message is, and write its weights.
    TrainReader {
        /// The messages, as `tools/reader/README.md` describes them.
        #[arg(long)]
        data: PathBuf,
        /// The file to write.
        #[arg(long)]
        output: PathBuf,
    },
    /// Say what each part of labelled messages is, and print how many are judged as labelled.
    Reader {
        /// The messages, as `tools/reader/README.md` describes them.
        #[arg(long)]
        data: PathBuf,
    },
    /// Run invented chats through the extractor, and compare what it makes of them with gold facts.
    Facts {
        /// The chats, as `tests/quality/facts/README.md` describes them.
        #[arg(long)]
        data: PathBuf,
        /// Print one JSON object instead of a table.
        #[arg(long)]
        json: bool,
        /// Show each chat with its gold facts and its memories.
        #[arg(long, conflicts_with = "json")]
        show: bool,
    },
}

#[derive(Args)]
pub struct Recall {
    /// The data set, in LoCoMo's shape: a JSON list of conversations, or one after the other.
    #[arg(long)]
    data: PathBuf,
    /// An empty database to store in, instead of a throw-away one.
    #[arg(long)]
    database_url: Option<String>,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// Also tell what each step of the ranking adds.
    #[arg(long)]
    ablation: bool,
    /// Also fit the ranking's weights on all conversations but one, by turns, and judge each by the one left out.
    #[arg(long)]
    leave_one_out: bool,
}

pub async fn eval(config: Config, command: EvalCommand) -> anyhow::Result<()> {
    match command {
        EvalCommand::Recall(options) => recall(config, options).await,
        EvalCommand::Train {
            data,
            sentences,
            output,
        } => train(&data, sentences.as_deref(), &output),
        EvalCommand::Extract { data, json, mistakes } => extract(&data, json, mistakes),
        EvalCommand::TrainReader { data, output } => train_reader(&data, &output),
        EvalCommand::Reader { data } => reader(&data),
        EvalCommand::Facts { data, json, show } => facts(&data, json, show),
    }
}

async fn recall(mut config: Config, options: Recall) -> anyhow::Result<()> {
    let data = options.data.display();
    let conversations = eval::load(&options.data).with_context(|| data.to_string())?;
    let directory = tempfile::tempdir()?;
    config.database.url = match options.database_url {
        Some(url) => url,
        None => format!("sqlite://{}", directory.path().join("eval.db").display()),
    };
    let app = App::open(&config, Clock::system()).await?;
    let account = app.auth.create_account("eval@memsync.dev", None, None).await?;
    let studies = Studies {
        ablation: options.ablation,
        leave_one_out: options.leave_one_out,
    };
    let rounds = if options.leave_one_out { 2 } else { 1 };
    let bar = ProgressBar::new((rounds * conversations.len()) as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}")?);
    let report = eval::recall(&app.memories, &account.id, &conversations, studies, |id| {
        bar.set_message(id.to_owned());
        bar.inc(1);
    });
    let report = report.await?;
    bar.finish_and_clear();
    if options.json {
        say!("{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        print(&report)?;
    }
    Ok(())
}

fn print(report: &Report) -> io::Result<()> {
    say!(
        "{} conversations, {} messages, {} memories",
        report.conversations,
        report.messages,
        report.memories
    )?;
    header("category")?;
    for figures in &report.figures {
        row(&category(figures), figures)?;
    }
    say!("coverage of evidence messages: {:.3}", report.coverage)?;
    if let Some(auroc) = report.auroc {
        say!("AUROC of the best score, answerable against not: {auroc:.3}")?;
    }
    say!("\nscore from      n   mean  evidence")?;
    for band in &report.reliability {
        say!(
            "{:>10.1} {:>6} {:>6.3} {:>9.3}",
            band.from,
            band.n,
            band.mean_score,
            band.evidence
        )?;
    }
    if !report.ablation.is_empty() {
        say!("")?;
        header("step")?;
        for step in &report.ablation {
            row(step.name, &step.figures)?;
        }
    }
    if let Some(study) = &report.leave_one_out {
        say!("")?;
        header("left out")?;
        for (conversation, figures) in &study.by_conversation {
            row(conversation, figures)?;
        }
        say!("")?;
        header("category, left out")?;
        for figures in &study.figures {
            row(&category(figures), figures)?;
        }
        say!("\nfitted on all:")?;
        for (name, worth) in &study.fitted {
            say!("{name:<12} {worth:>6.3}")?;
        }
    }
    let [store, search] = [report.store_ms, report.search_ms];
    say!("\nstore a session: p50 {:.2} ms, p95 {:.2} ms", store[0], store[1])?;
    say!("search: p50 {:.2} ms, p95 {:.2} ms", search[0], search[1])
}

fn header(first: &str) -> io::Result<()> {
    say!("{first:<22}    n   r@5  r@10  r@20 any@10 all@10   MRR nDCG@10 best score")
}

fn row(name: &str, figures: &CategoryFigures) -> io::Result<()> {
    say!(
        "{name:<22} {:>4} {:>5.3} {:>5.3} {:>5.3} {:>6.3} {:>6.3} {:>5.3} {:>7.3} {:>10.3}",
        figures.n,
        figures.recall[0],
        figures.recall[1],
        figures.recall[2],
        figures.recall_any[1],
        figures.recall_all[1],
        figures.mrr,
        figures.ndcg_10,
        figures.best_score
    )
}

fn category(figures: &CategoryFigures) -> String {
    match figures.category {
        0 => "1-4".to_owned(),
        category => category.to_string(),
    }
}

fn extract(data: &Path, json: bool, mistakes: bool) -> anyhow::Result<()> {
    let sentences = eval::load_sentences(data).with_context(|| data.display().to_string())?;
    let report = eval::extract(&sentences);
    if json {
        say!("{}", serde_json::to_string_pretty(&report)?)?;
        return Ok(());
    }
    say!("{report}")?;
    for mistake in report.mistakes.iter().filter(|_| mistakes) {
        say!("{:>4}  {}  [{}]", mistake.line, mistake.text, mistake.fault)?;
    }
    Ok(())
}

fn train_reader(data: &Path, output: &Path) -> anyhow::Result<()> {
    let messages = eval::load_messages(data).with_context(|| data.display().to_string())?;
    std::fs::write(output, eval::train_reader(&messages))?;
    say_reader(&eval::cross_validate_reader(&messages, 5))
}

fn reader(data: &Path) -> anyhow::Result<()> {
    let messages = eval::load_messages(data).with_context(|| data.display().to_string())?;
    say_reader(&eval::judge_reader(&messages))
}

fn say_reader([whole, parts]: &[eval::ReaderFigures; 2]) -> anyhow::Result<()> {
    say!("Messages of one kind\n{whole}\nParts of messages of several kinds\n{parts}")?;
    Ok(())
}

fn facts(data: &Path, json: bool, show: bool) -> anyhow::Result<()> {
    let chats = eval::load_chats(data).with_context(|| data.display().to_string())?;
    let (figures, results) = eval::facts(&chats);
    if json {
        say!("{}", serde_json::to_string_pretty(&figures)?)?;
        return Ok(());
    }
    for chat in results.iter().filter(|_| show) {
        say!("{} ({})", chat.id, chat.kind)?;
        for line in &chat.messages {
            say!("    {}", line.replace('\n', " ⏎ "))?;
        }
        for line in chat.gold.iter().chain(&chat.memories).chain(&chat.wrong) {
            say!("        {line}")?;
        }
    }
    say!("{figures}")?;
    Ok(())
}

fn train(data: &[PathBuf], sentences: Option<&Path>, output: &Path) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for file in data {
        all.extend(eval::load_training(file).with_context(|| file.display().to_string())?);
    }
    if let Some(file) = sentences {
        let labelled = eval::load_sentences(file).with_context(|| file.display().to_string())?;
        all.extend(labelled.into_iter().step_by(2));
    }
    std::fs::write(output, eval::train(&all))?;
    let [keep, memory_type, categories] = eval::cross_validate(&all, 5);
    say!(
        "{} sentences; left out by fifths: keep or drop {keep:.3}, type {memory_type:.3}, categories F1 {categories:.3}",
        all.len()
    )?;
    Ok(())
}
