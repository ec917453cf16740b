//! The rules that bear on one branch: what the bulk query tells, and what REST is asked where that is silent.
//!
//! Who does not administer a repository sees no classic rule in GraphQL, and `repos/get-branch-protection` answers 404 both for "not protected" and for
//! "not allowed". Two requests that need less tell them apart: `repos/get-branch` (`protected`) and `repos/get-branch-rules`.
//! <https://docs.github.com/en/rest/branches/branches#get-a-branch>
//! Left out: what the rules amount to (`protection`).

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, future, stream};

use crate::collect::api::{Api, ApiError, Request};
use crate::collect::evidence::{Evidence, Unreadable};
use crate::collect::github::answer::{Answer, Field, refused};
use crate::collect::github::classic_rule::{self, SEES_CLASSIC};
use crate::collect::github::protection::{Demand, RuleSource};
use crate::collect::github::repositories::Listed;
use crate::collect::github::rulesets;
use crate::collect::github::wording::{path_part, repository_path};
use crate::collect::listing::all_pages;
use crate::collect::paging::Paging;
use crate::model::{Gap, Host};

const BRANCH: &str = "repos/get-branch";
const PROTECTION: &str = "repos/get-branch-protection";
const RULES: &str = "repos/get-branch-rules";

/// Something that the bulk query left open about a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    /// Is there a classic rule, and what does it say?
    Classic { repository: String, branch: String },
    /// Which rules of rulesets apply?
    Rules { repository: String, branch: String },
}

/// What the bulk query left open about the default branch of a repository.
pub(super) fn open_questions(node: &Field<'_>) -> Vec<Question> {
    let (Ok(repository), Ok(branch)) = (node.get("nameWithOwner").text(), node.path(&["defaultBranchRef", "name"]).text()) else {
        return Vec::new();
    };
    let (repository, branch) = (repository.to_owned(), branch.to_owned());
    let mut open = Vec::new();
    if matches!(classic_in(node), Classic::Unseen(_)) {
        open.push(Question::Classic { repository: repository.clone(), branch: branch.clone() });
    }
    if node.path(&["defaultBranchRef", "rules"]).all_nodes().is_err() {
        open.push(Question::Rules { repository, branch });
    }
    open
}

/// A default branch that may have a classic rule which only REST can show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Guarded {
    repository: String,
    branch: String,
}

/// As many refusals in a row settle that a credential sees no classic rule of an organisation where GraphQL shows it none.
const REFUSALS: usize = 3;

impl Question {
    /// Asks REST on behalf of `asked_by`; asks first what needs less. Returns the branch whose classic rule is still open.
    pub(super) async fn ask(self, api: &dyn Api, asked_by: &'static str) -> Result<Option<Guarded>, ApiError> {
        match self {
            Self::Classic { repository, branch } => {
                let request = Request::get(Host::GitHub, branch_target(&repository, &branch), BRANCH, subject(&repository, &branch), asked_by);
                let reply = api.send(request).await?;
                let is_open = reply.gap.is_some() || flag_of(&Answer::rest(&reply.body), &branch) != Some(false);
                Ok(is_open.then_some(Guarded { repository, branch }))
            }
            Self::Rules { repository, branch } => {
                let subject = subject(&repository, &branch);
                let ask = |target: &str| Request::get(Host::GitHub, target, RULES, subject.clone(), asked_by);
                let first = format!("/repos/{}/rules/branches/{}?per_page=100", repository_path(&repository), path_part(&branch));
                all_pages(api, ask(&first), Paging::Link, ask, |_page| {}).await.map(|()| None)
            }
        }
    }
}

/// Asks for the classic rules of one organisation. Where the first few are all refused, the others are not asked for: whoever may read such a rule may, as an
/// App, read all of them, or sees them in GraphQL. What was not asked stays undetermined, exactly like what was refused.
pub(super) async fn ask_for_rules(guarded: &BTreeSet<Guarded>, at_once: usize, api: &dyn Api, asked_by: &'static str) -> Result<(), ApiError> {
    let ask = |guarded: &Guarded| {
        let target = format!("{}/protection", branch_target(&guarded.repository, &guarded.branch));
        let request = Request::get(Host::GitHub, target, PROTECTION, subject(&guarded.repository, &guarded.branch), asked_by);
        async move {
            let reply = api.send(request).await?;
            Ok(matches!(reply.status, Some(403 | 404)) && reply.gap.is_some() && !says_not_protected(&Answer::rest(&reply.body)))
        }
    };
    let first: Vec<bool> = future::try_join_all(guarded.iter().take(REFUSALS).map(&ask)).await?;
    if first.len() == REFUSALS && first.iter().all(|is_refused| *is_refused) {
        return Ok(());
    }
    stream::iter(guarded.iter().skip(REFUSALS)).map(ask).buffer_unordered(at_once).try_for_each(|_is_refused| future::ok(())).await
}

fn branch_target(repository: &str, branch: &str) -> String {
    format!("/repos/{}/branches/{}", repository_path(repository), path_part(branch))
}

fn subject(repository: &str, branch: &str) -> String {
    format!("{repository}@{branch}")
}

/// What is known of the classic rule.
enum Classic {
    /// There is none.
    None,
    /// This one.
    Rule(Box<RuleSource>),
    /// It cannot be seen, nor whether it exists.
    Unseen(Gap),
}

/// What the bulk query tells. Null means "none" only to who administers the repository.
fn classic_in(node: &Field<'_>) -> Classic {
    let rule = node.path(&["defaultBranchRef", "branchProtectionRule"]).needing(SEES_CLASSIC);
    if rule.value().is_some() {
        let mut source = classic_rule::from_graphql(&rule);
        source.demands.add(Demand::MergeQueue, node.get("mergeQueue").or_none(|queue| queue.get("id").text().map(drop)).map(|queue| queue.is_some()));
        Classic::Rule(Box::new(source))
    } else if rule.is_none() && node.get("viewerCanAdminister").bool() == Ok(true) {
        Classic::None
    } else {
        Classic::Unseen(rule.gap())
    }
}

/// The rules that bear on one branch, and the exchanges they are read from.
pub(super) struct Sources {
    /// Each rule, or a stand-in for one that cannot be seen.
    pub(super) list: Vec<RuleSource>,
    /// The exchanges.
    pub(super) cited: Vec<u32>,
}

impl Sources {
    /// Finds the rules of the default branch of a repository.
    pub(super) fn find(listed: &Listed<'_>, branch: &str, evidence: &dyn Evidence) -> Result<Self, Unreadable> {
        let mut found = Self { list: Vec::new(), cited: listed.evidence.clone() };
        found.read_rules(listed, branch, evidence)?;
        found.read_classic(listed, branch, evidence)?;
        Ok(found)
    }

    /// From the bulk query; where that did not tell all, from `repos/get-branch-rules` as far as it was answered.
    fn read_rules(&mut self, listed: &Listed<'_>, branch: &str, evidence: &dyn Evidence) -> Result<(), Unreadable> {
        let subject = subject(listed.name, branch);
        let pages = evidence.about(RULES, &subject);
        self.cited.extend(pages.iter().map(|page| page.n));
        if pages.is_empty() || evidence.listing_gap(RULES, &subject).is_some() {
            self.list = rulesets::from_graphql(listed.node);
            return Ok(());
        }
        let mut by_ruleset = BTreeMap::new();
        for page in pages {
            let answer = Answer::stored_rest(evidence, page)?;
            if let Err(gap) = rulesets::add_rest_page(&answer.root(), &mut by_ruleset) {
                self.list.push(RuleSource::unseen(&gap));
            }
        }
        self.list.extend(by_ruleset.into_values());
        Ok(())
    }

    /// From the bulk query; where that is silent, from what REST answered.
    fn read_classic(&mut self, listed: &Listed<'_>, branch: &str, evidence: &dyn Evidence) -> Result<(), Unreadable> {
        let classic = match classic_in(listed.node) {
            Classic::Unseen(gap) => self.classic_in_rest(listed.name, branch, gap, evidence)?,
            told @ (Classic::None | Classic::Rule(_)) => told,
        };
        match classic {
            Classic::None => {}
            Classic::Rule(source) => self.list.push(*source),
            Classic::Unseen(gap) => self.list.push(RuleSource::unseen(&gap)),
        }
        Ok(())
    }

    fn classic_in_rest(&mut self, repository: &str, branch: &str, unseen: Gap, evidence: &dyn Evidence) -> Result<Classic, Unreadable> {
        let subject = subject(repository, branch);
        let mut protected = None;
        let mut gap = unseen;
        if let Some(exchange) = evidence.about(BRANCH, &subject).first() {
            self.cited.push(exchange.n);
            if exchange.is_answer() {
                protected = flag_of(&Answer::stored_rest(evidence, exchange)?, branch);
            } else {
                gap = refused(evidence, exchange, SEES_CLASSIC)?;
            }
        }
        if protected == Some(false) {
            return Ok(Classic::None);
        }
        let Some(exchange) = evidence.about(PROTECTION, &subject).first() else { return Ok(self.unless_flagged(protected, gap)) };
        self.cited.push(exchange.n);
        if exchange.is_answer() {
            let answer = Answer::stored_rest(evidence, exchange)?;
            return Ok(Classic::Rule(Box::new(classic_rule::from_rest(&answer.root().needing(SEES_CLASSIC), branch))));
        }
        if exchange.status == Some(404) && says_not_protected(&Answer::stored_rest(evidence, exchange)?) {
            return Ok(Classic::None);
        }
        let gap = refused(evidence, exchange, SEES_CLASSIC)?;
        Ok(self.unless_flagged(protected, gap))
    }

    /// A rule that cannot be seen. GitHub's own flag still tells that it exists, where no visible ruleset explains the flag: it is set for either.
    fn unless_flagged(&self, protected: Option<bool>, gap: Gap) -> Classic {
        if protected == Some(true) && self.list.iter().all(|source| source.label.is_err()) {
            return Classic::Rule(Box::new(RuleSource { protects: Ok(true), ..RuleSource::unseen(&gap) }));
        }
        Classic::Unseen(gap)
    }
}

/// GitHub's own word on whether the branch is protected. A branch that has a new name answers for itself under the old one; that is not the branch that was
/// asked about.
fn flag_of(answer: &Answer, branch: &str) -> Option<bool> {
    let flag = answer.root();
    (flag.get("name").text() == Ok(branch)).then(|| flag.get("protected").bool().ok()).flatten()
}

/// To who administers the repository GitHub says "Branch not protected"; to who does not, "Not Found". Both are 404.
/// Taking the former for "no classic rule" can only make the branch look weaker, never stronger.
fn says_not_protected(answer: &Answer) -> bool {
    answer.root().get("message").text() == Ok("Branch not protected")
}
