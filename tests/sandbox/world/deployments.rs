//! What was deployed: every fourth repository deploys each merge, first to pre-production; some skip it, some fail.

use chrono::{DateTime, TimeDelta, Utc};

use crate::sandbox::world::changes::PullRequest;
use crate::sandbox::world::people::Person;
use crate::sandbox::world::repositories::Repository;

/// A deployment.
#[derive(Debug)]
pub(crate) struct Deployment<'w> {
    pub(crate) id: u64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) environment: &'static str,
    pub(crate) commit: &'w str,
    pub(crate) change: &'w PullRequest,
    pub(crate) creator: Person,
    /// Set where it succeeded.
    pub(crate) succeeded: Option<DateTime<Utc>>,
}

/// A job of the run that deploys.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) conclusion: &'static str,
    pub(crate) started: DateTime<Utc>,
    /// The deployment that it made.
    pub(crate) deployment: Option<u64>,
}

impl Deployment<'_> {
    /// Who started the run: whoever merged.
    pub(crate) fn starter(&self) -> Option<&Person> {
        self.change.merged.as_ref().map(|merge| &merge.by)
    }

    /// Who approved the run for production; some approve their own, some are approved by nobody.
    pub(crate) fn approver(&self, members: usize) -> Option<Person> {
        match (self.starter(), self.change.number % 8) {
            (_, 0) => None,
            (Some(starter), 1) => Some(starter.clone()),
            (Some(Person::Member(index)), _) => Some(Person::Member((index + 1) % members)),
            _ => Some(Person::Member(0)),
        }
    }

    /// The jobs of the run, which deploys to both environments.
    pub(crate) fn jobs(&self) -> Vec<Job> {
        let minutes = TimeDelta::minutes;
        let (number, merged) = (self.id - u64::from(self.environment == "production"), self.change.merged.as_ref().map_or(self.at, |merge| merge.at));
        let conclusion = if self.change.number.is_multiple_of(9) { "FAILURE" } else { "SUCCESS" };
        vec![
            Job { name: "deploy to preprod", conclusion: "SUCCESS", started: merged + minutes(10), deployment: Some(number) },
            Job { name: "deploy to production", conclusion: "SUCCESS", started: merged + minutes(40), deployment: Some(number + 1) },
            Job { name: "smoke tests", conclusion, started: merged + minutes(50), deployment: None },
        ]
    }
}

impl Repository {
    /// Every deployment, newest first.
    pub(crate) fn deployments(&self) -> Vec<Deployment<'_>> {
        let mut all = Vec::new();
        if !self.id.is_multiple_of(4) {
            return all;
        }
        for change in self.pull_requests.iter().filter(|change| change.base == self.default_branch) {
            let Some(merge) = &change.merged else { continue };
            let number = self.id * 10_000 + u64::from(change.number) * 2;
            let creator = || if change.number.is_multiple_of(6) { merge.by.clone() } else { Person::Bot("deployer") };
            if !change.number.is_multiple_of(5) {
                let at = merge.at + TimeDelta::minutes(10);
                let succeeded = Some(at + TimeDelta::minutes(5));
                all.push(Deployment { id: number, at, environment: "preprod", commit: &merge.commit, change, creator: creator(), succeeded });
            }
            let at = merge.at + TimeDelta::minutes(40);
            let succeeded = (!change.number.is_multiple_of(7)).then(|| at + TimeDelta::minutes(5));
            all.push(Deployment { id: number + 1, at, environment: "production", commit: &merge.commit, change, creator: creator(), succeeded });
        }
        all.sort_by_key(|deployment| std::cmp::Reverse((deployment.at, deployment.id)));
        all
    }
}
