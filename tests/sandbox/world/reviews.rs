//! The quarterly review of who has access: an issue with a table, in which one member was forgotten and one decided on twice, and who had to go and did or did not.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::sandbox::world::people::Person;
use crate::sandbox::world::repositories::Repository;
use crate::sandbox::world::tasks::{Closing, Comment, Issue};
use crate::sandbox::world::truth::{Truth, instant};
use crate::sandbox::world::{Plan, World};

/// The label of reviews.
pub(crate) const LABEL: &str = "access-review";
/// The name of the table.
pub(crate) const TABLE: &str = "access-review.csv";
/// The number of the issue: far from those that are given in the order of time, and not on the board.
const NUMBER: u32 = 9_002;
/// The team that is reviewed beside the organisation.
const TEAM: &str = "release";
/// The position of a member who left that team after the review was closed.
const LEFT_TEAM: usize = 1;
/// Positions of members: forgotten, decided on twice, to go and still there, forgotten in the team.
const FORGOTTEN: usize = 3;
const TWICE: usize = 4;
const STILL_THERE: usize = 5;
const FORGOTTEN_IN_TEAM: usize = 6;

/// When the table was given: two days and an hour before the first night.
fn given(plan: &Plan) -> DateTime<Utc> {
    plan.instant(-2) - TimeDelta::hours(1)
}

fn closed(plan: &Plan) -> DateTime<Utc> {
    plan.instant(-2)
}

/// When somebody left the team.
pub(super) fn left_team(plan: &Plan) -> DateTime<Utc> {
    plan.instant(-1)
}

/// Adds the review to the repository of tasks.
pub(super) fn generate(plan: &Plan, repositories: &mut [Repository]) {
    let place = usize::from(repositories.len() > 2);
    let body = format!("The decisions: [{TABLE}](https://github.com/user-attachments/files/{NUMBER}/{TABLE})");
    let comment = Comment { id: 3_999_999, by: Person::Member(0), at: given(plan), body, edited: None };
    let issue = Issue {
        number: NUMBER,
        title: "Who has access (quarterly)".to_owned(),
        body: "Export the members, decide on each, attach the table.\n\n- [x] done\n".to_owned(),
        total_boxes: 1,
        author: Person::Member(0),
        created: plan.instant(-20),
        closed: Some(Closing { at: closed(plan), by: Person::Member(1), reason: "COMPLETED" }),
        assignees: vec![0],
        labels: vec![LABEL.to_owned()],
        milestone: Some(("Quarterly goals".to_owned(), Some(plan.instant(10)))),
        comments: vec![comment],
        ..Issue::default()
    };
    repositories.get_mut(place).into_iter().for_each(|repository| repository.issues.push(issue.clone()));
}

/// A row: what it is about (nothing for the organisation), who, and the decision.
type Row = (&'static str, String, &'static str);

impl World {
    /// The rows, in the order of the table.
    fn review_rows(&self) -> Vec<Row> {
        let login = |index: usize| self.members.get(index).map(|member| member.login.clone()).unwrap_or_default();
        let decided = |index: usize| if index == STILL_THERE { "remove" } else { "keep" };
        let mut rows: Vec<Row> = Vec::new();
        for index in (0..self.plan.members).filter(|index| *index != FORGOTTEN) {
            rows.push(("", login(index), decided(index)));
            rows.extend((index == TWICE).then(|| ("", login(index), "remove")));
        }
        rows.extend([("", "leaver-0".to_owned(), "remove"), ("", "nobody-0".to_owned(), "keep"), ("", "contractor-0".to_owned(), "keep")]);
        rows.extend((0..self.plan.members).filter(|index| index % 3 == 0 && *index != FORGOTTEN_IN_TEAM).map(|index| (TEAM, login(index), "keep")));
        rows.push((TEAM, login(LEFT_TEAM), "remove"));
        rows.push(("Grafana", login(0), "keep"));
        rows
    }

    /// The table as a spreadsheet writes it: a mark of the byte order, quotes, an at sign behind what keeps it from being a formula, other small and large letters.
    pub(crate) fn review_table(&self) -> Vec<u8> {
        let mut text = "\u{feff}Name,Login,Team,System,Decision\r\n".to_owned();
        for (nth, (about, login, decision)) in self.review_rows().into_iter().enumerate() {
            let (team, system) = match about {
                "Grafana" => (String::new(), about),
                "" => (String::new(), ""),
                team => (format!("'@{}/{team}", self.plan.organization.to_uppercase()), "GitHub"),
            };
            let login = if nth % 5 == 0 { format!("'@{}", login.to_uppercase()) } else { login };
            text.push_str(&format!("\"=HYPERLINK(\"\"x\"\"), {nth}\",{login},{team},{system},\" {} \"\r\n", decision.to_uppercase()));
        }
        text.into_bytes()
    }

    /// Whoever the review is about, where the issue is it.
    pub(super) fn tell_review(&self, repository: &Repository, issue: &Issue, truth: &mut Truth) {
        if issue.number != NUMBER || !issue.labels.iter().any(|label| label == LABEL) {
            return;
        }
        let rows = self.review_rows();
        let of = |about: &str, login: &str| rows.iter().filter(|row| row.0 == about && row.1 == login).map(|row| row.2).collect::<Vec<_>>();
        let mut about: Vec<(&str, String)> = rows.iter().map(|row| (row.0, row.1.clone())).collect();
        let forgotten = [("", FORGOTTEN), (TEAM, FORGOTTEN_IN_TEAM)].into_iter().filter(|(_, index)| *index < self.plan.members);
        about.extend(forgotten.filter_map(|(about, index)| Some((about, self.members.get(index)?.login.clone()))));
        for (what, login) in about {
            self.tell_reviewed((repository, issue), (what, &login), &of(what, &login), truth);
        }
    }

    fn tell_reviewed(&self, (repository, issue): (&Repository, &Issue), (about, login): (&str, &str), decisions: &[&str], truth: &mut Truth) {
        let (organization, name) = (&self.plan.organization, self.full_name(repository));
        let access_to = match about {
            "" => organization.clone(),
            "Grafana" => "grafana".to_owned(),
            team => format!("{organization}/teams/{team}"),
        };
        let path = match about {
            "" => "organization".to_owned(),
            "Grafana" => format!("elsewhere/{}", proofline::model::Digest::of(b"grafana")),
            team => format!("teams/{team}"),
        };
        let by = self.login(&Person::Member(0));
        let decisions: Vec<Value> = decisions.iter().map(|decision| json!({ "decision": decision, "at": instant(given(&self.plan)), "by": by })).collect();
        let mut facts = json!({
            "repository": name, "review": format!("https://github.com/{name}/issues/{}", issue.number), "labels": issue.labels,
            "closed_at": instant(closed(&self.plan)), "access_to": access_to, "member": login, "decisions": decisions,
        });
        let gone = match (about, login) {
            ("", "leaver-0") => Some(self.plan.instant(0) - TimeDelta::hours(5)),
            (TEAM, login) if self.members.get(LEFT_TEAM).is_some_and(|member| member.login == login) => Some(left_team(&self.plan)),
            _ => None,
        };
        let (standing, was_member, is_there) = match login {
            "nobody-0" => ("stranger", false, false),
            "contractor-0" => ("outside collaborator", false, true),
            _ if gone.is_some() => ("left", true, false),
            _ => ("member", true, true),
        };
        let id = format!("github.com/{name}/issues/{NUMBER}/access/{path}/{login}");
        let tonight = json!({ "standing": standing, "was_member": was_member, "is_there": is_there });
        match (about, &mut facts, tonight) {
            // Nobody can tell here who has access there.
            ("Grafana", ..) => drop(truth.hidden.insert(id.clone())),
            (_, Value::Object(facts), Value::Object(tonight)) => {
                facts.extend(tonight);
                // When somebody went whom the log does not know is not known either.
                let (at, is_told) = (gone.map(instant).map_or(Value::Null, Value::from), is_there || gone.is_some());
                facts.extend(["gone_at", "gone_by"].into_iter().filter(|_| is_told).map(|name| (name.to_owned(), at.clone())));
            }
            _ => {}
        }
        truth.add("github.reviewed_access", id, facts);
    }

    /// The login of who left the team.
    pub(super) fn who_left_team(&self) -> Option<String> {
        self.members.get(LEFT_TEAM).map(|member| member.login.clone())
    }

    /// The team that they left.
    pub(super) fn team_they_left(&self) -> String {
        format!("{}/{TEAM}", self.plan.organization)
    }
}
