//! What is discussed in repositories: every fifth keeps its retrospectives there, one each fortnight for longer than anybody asks for.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::sandbox::world::World;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::truth::{Truth, instant, kind_of};

/// How many each of those repositories has on the first night.
const FIRST: i64 = 30;

/// A discussion.
#[derive(Debug, Clone)]
pub(crate) struct Discussion {
    pub(crate) number: u32,
    pub(crate) title: String,
    /// Its category, and whether that takes answers.
    pub(crate) category: (&'static str, bool),
    pub(crate) labels: Vec<&'static str>,
    pub(crate) author: Person,
    pub(crate) created: DateTime<Utc>,
    pub(crate) edited: Option<DateTime<Utc>>,
    pub(crate) closed: bool,
    pub(crate) comments: usize,
}

impl Discussion {
    /// True where one of its comments was chosen for the answer; none where that cannot be.
    pub(crate) fn answered(&self) -> Option<bool> {
        self.category.1.then_some(self.number.is_multiple_of(2))
    }
}

impl World {
    /// The discussions of a repository, newest first.
    pub(crate) fn discussions(&self, repository: &Repository) -> Vec<Discussion> {
        if !repository.id.is_multiple_of(5) {
            return Vec::new();
        }
        let more = i64::from(self.plan.night) / 14;
        let mut all: Vec<Discussion> = (0..FIRST + more).map(|nth| self.discussion(nth)).collect();
        all.reverse();
        all
    }

    fn discussion(&self, nth: i64) -> Discussion {
        let number = u32::try_from(nth).unwrap_or_default() + 1;
        let created = self.plan.instant(14 * (nth - FIRST + 1) - 2);
        let is_question = nth % 5 == 4;
        Discussion {
            number,
            title: if is_question { format!("How do we page? ({number})") } else { format!("Retro of {}", created.format("%Y-%m-%d")) },
            category: if is_question { ("Q&A", true) } else { ("Retrospectives", false) },
            labels: if nth % 3 == 0 { vec!["team/devops"] } else { Vec::new() },
            author: if nth % 7 == 3 { Person::Ghost } else { Person::Member(0) },
            created,
            edited: (nth % 4 == 1).then(|| created + TimeDelta::hours(2)),
            closed: nth % 2 == 0,
            comments: usize::try_from(nth % 6).unwrap_or_default(),
        }
    }

    /// Adds the discussions of the thirteen months before this night.
    pub(super) fn tell_discussions(&self, repository: &Repository, truth: &mut Truth) {
        let name = self.full_name(repository);
        let since = (self.now() - TimeDelta::days(396)).date_naive();
        for discussion in self.discussions(repository).into_iter().filter(|discussion| discussion.created.date_naive() >= since) {
            let facts = json!({
                "repository": name, "number": discussion.number, "title": discussion.title, "category": discussion.category.0, "labels": discussion.labels,
                "url": format!("https://github.com/{name}/discussions/{}", discussion.number), "author": self.login(&discussion.author).unwrap_or("ghost"),
                "author_type": kind_of(&discussion.author).unwrap_or("User"), "created_at": instant(discussion.created),
                "edited_at": discussion.edited.map(instant), "closed": discussion.closed, "answered": discussion.answered(), "comment_count": discussion.comments,
            });
            truth.add("github.discussion", format!("github.com/{name}/discussions/{}", discussion.number), facts);
        }
    }
}
