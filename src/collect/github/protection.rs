//! What protects a branch: the classic rule and every active ruleset, added up. Pure arithmetic over facts that may be unknown.
//!
//! GitHub applies the stricter of overlapping rules, so adding a rule never weakens a branch.
//! <https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/about-rulesets#about-rule-layering>
//! Left out: where the rules are read from (`classic_rule`, `rulesets`).

use std::collections::{BTreeMap, BTreeSet};

use crate::collect::github::answer::Fact;
use crate::model::{Gap, GapCause};

/// Something that a rule may demand. True is the stricter side of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// New commits dismiss earlier approvals.
    DismissesStaleReviews,
    /// The last push needs an approval by somebody else.
    LastPushApproval,
    /// A code owner of the changed files must approve.
    CodeOwnerReview,
    /// Every conversation must be resolved.
    ConversationResolution,
    /// Only named people may dismiss a review.
    RestrictsDismissals,
    /// The branch must be up to date before it is merged.
    StrictChecks,
    /// Commits must carry a verified signature.
    Signatures,
    /// No merge commits.
    LinearHistory,
    /// Changes go through a merge queue.
    MergeQueue,
    /// No force push.
    ForbidsForcePush,
    /// The branch cannot be deleted.
    ForbidsDeletion,
    /// Only named actors may push.
    RestrictsPushes,
}

impl Demand {
    /// Every demand.
    pub const ALL: [Self; 12] = [
        Self::DismissesStaleReviews,
        Self::LastPushApproval,
        Self::CodeOwnerReview,
        Self::ConversationResolution,
        Self::RestrictsDismissals,
        Self::StrictChecks,
        Self::Signatures,
        Self::LinearHistory,
        Self::MergeQueue,
        Self::ForbidsForcePush,
        Self::ForbidsDeletion,
        Self::RestrictsPushes,
    ];
}

/// A status check that must pass.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Check {
    /// Its name.
    pub context: String,
    /// The App that must report it, by slug or number; none where anybody with write access may.
    pub app: Option<String>,
}

/// Everything that one rule, or all rules together, demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demands {
    /// Approving reviews before a merge.
    pub approvals: Fact<i64>,
    /// Status checks before a merge.
    pub checks: Fact<BTreeSet<Check>>,
    flags: BTreeMap<Demand, Fact<bool>>,
}

/// One classic rule or one ruleset, as it bears on the branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSource {
    /// What a person calls it, e.g. `classic:main`, `ruleset:baseline`.
    pub label: Fact<String>,
    /// True where it guards what reaches the branch; false where it only polices names or messages.
    pub protects: Fact<bool>,
    /// What it demands.
    pub demands: Demands,
    /// True where administrators cannot bypass it.
    pub binds_admins: Fact<bool>,
    /// Actors that may bypass it or a part of it.
    pub bypass: Fact<BTreeSet<String>>,
}

impl Demands {
    /// Demands nothing.
    #[must_use]
    pub fn none() -> Self {
        Self { approvals: Ok(0), checks: Ok(BTreeSet::new()), flags: BTreeMap::new() }
    }

    /// May demand anything; `gap` says why that cannot be seen.
    #[must_use]
    pub fn unseen(gap: &Gap) -> Self {
        let flags = Demand::ALL.into_iter().map(|demand| (demand, Err(gap.clone()))).collect();
        Self { approvals: Err(gap.clone()), checks: Err(gap.clone()), flags }
    }

    /// Whether `demand` is made.
    ///
    /// # Errors
    /// The gap that hides it.
    pub fn flag(&self, demand: Demand) -> Fact<bool> {
        self.flags.get(&demand).cloned().unwrap_or(Ok(false))
    }

    /// Adds a fact about `demand`; what was demanded before stays demanded.
    pub fn add(&mut self, demand: Demand, fact: Fact<bool>) {
        let together = either(self.flag(demand), fact);
        self.flags.insert(demand, together);
    }

    /// The stricter of both, in each point.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for demand in Demand::ALL {
            self.add(demand, other.flag(demand));
        }
        self.approvals = both_known(self.approvals, other.approvals.clone()).map(|(a, b)| a.max(b));
        self.checks = both_known(self.checks, other.checks.clone()).map(|(a, b)| &a | &b);
        self
    }

    /// True where it is certain that `other` demands something that these do not.
    fn surely_lacks(&self, other: &Self) -> bool {
        let flags = Demand::ALL.into_iter().any(|demand| self.flag(demand) == Ok(false) && other.flag(demand) == Ok(true));
        let approvals = matches!((&self.approvals, &other.approvals), (Ok(mine), Ok(theirs)) if mine < theirs);
        let checks = matches!((&self.checks, &other.checks), (Ok(mine), Ok(theirs)) if !mine.is_superset(theirs));
        flags || approvals || checks
    }

    fn is_known(&self) -> bool {
        self.approvals.is_ok() && self.checks.is_ok() && self.flags.values().all(Result::is_ok)
    }

    /// The checks, without those that name no App where the same check is also demanded of one.
    ///
    /// # Errors
    /// The gap that hides them.
    pub fn effective_checks(&self) -> Fact<Vec<&Check>> {
        let checks = self.checks.as_ref().map_err(Clone::clone)?;
        let pinned = |context: &str| checks.iter().any(|check| check.context == context && check.app.is_some());
        Ok(checks.iter().filter(|check| check.app.is_some() || !pinned(&check.context)).collect())
    }
}

impl RuleSource {
    /// A source of which nothing can be seen, nor whether it exists.
    #[must_use]
    pub fn unseen(gap: &Gap) -> Self {
        Self { label: Err(gap.clone()), protects: Err(gap.clone()), demands: Demands::unseen(gap), binds_admins: Err(gap.clone()), bypass: Err(gap.clone()) }
    }
}

/// What all sources demand together.
pub fn effective<'a>(sources: impl IntoIterator<Item = &'a RuleSource>) -> Demands {
    sources.into_iter().fold(Demands::none(), |sum, source| sum.and(&source.demands))
}

/// Whether anything protects the branch.
///
/// # Errors
/// The gap that hides it.
pub fn protected(sources: &[RuleSource]) -> Fact<bool> {
    // Not a fold that stops at the first gap: a later source that protects settles it.
    let mut together = Ok(false);
    for source in sources {
        together = either(together, source.protects.clone());
    }
    together
}

/// Whether administrators face everything that others face: true where the sources that bind them demand as much as all sources together.
///
/// A ruleset that administrators may bypass does no harm where another one, which binds them, demands the same.
///
/// # Errors
/// The gap that hides it.
pub fn binds_admins(sources: &[RuleSource]) -> Fact<bool> {
    if !protected(sources)? {
        return Ok(false);
    }
    let all = effective(sources);
    let binding = effective(sources.iter().filter(|source| source.binds_admins == Ok(true)));
    let perhaps_binding = effective(sources.iter().filter(|source| source.binds_admins != Ok(false)));
    let every = sources.iter().all(|source| source.binds_admins == Ok(true));
    if every || (all.is_known() && all_of(&binding) == all_of(&all)) {
        Ok(true)
    } else if perhaps_binding.surely_lacks(&all) {
        Ok(false)
    } else {
        Err(first_gap(sources, &all))
    }
}

/// Actors that may bypass a source, sorted.
///
/// # Errors
/// The gap that hides some of them.
pub fn bypass_actors(sources: &[RuleSource]) -> Fact<BTreeSet<String>> {
    sources.iter().try_fold(BTreeSet::new(), |sum, source| Ok(&sum | source.bypass.as_ref().map_err(Clone::clone)?))
}

/// What a person calls the sources, sorted.
///
/// # Errors
/// The gap that hides one of them.
pub fn labels(sources: &[RuleSource]) -> Fact<Vec<String>> {
    let labels: BTreeSet<String> = sources.iter().map(|source| source.label.clone()).collect::<Fact<_>>()?;
    Ok(labels.into_iter().collect())
}

/// True where one of them is true, whatever the other is; unknown where an unknown one could decide.
pub(super) fn either(a: Fact<bool>, b: Fact<bool>) -> Fact<bool> {
    match (a, b) {
        (Ok(true), _) | (_, Ok(true)) => Ok(true),
        (Err(gap), _) | (_, Err(gap)) => Err(gap),
        (Ok(false), Ok(false)) => Ok(false),
    }
}

/// True where both are true; false where one is false, whatever the other is.
pub(super) fn both(a: Fact<bool>, b: Fact<bool>) -> Fact<bool> {
    negated(either(negated(a), negated(b)))
}

/// The opposite.
pub(super) fn negated(fact: Fact<bool>) -> Fact<bool> {
    fact.map(|known| !known)
}

fn both_known<A, B>(a: Fact<A>, b: Fact<B>) -> Fact<(A, B)> {
    Ok((a?, b?))
}

/// The same demands with every flag spelled out, so that two of them can be compared.
fn all_of(demands: &Demands) -> Demands {
    Demands::none().and(demands)
}

fn first_gap(sources: &[RuleSource], all: &Demands) -> Gap {
    let hidden = sources.iter().find_map(|source| source.binds_admins.as_ref().err());
    let undecided = || all.approvals.as_ref().err().or(all.checks.as_ref().err()).or_else(|| all.flags.values().find_map(|flag| flag.as_ref().err()));
    hidden.or_else(undecided).cloned().unwrap_or_else(|| Gap::new(GapCause::LeftOut, "what binds administrators could not be told"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::{Check, Demand, Demands, RuleSource, binds_admins, both, bypass_actors, effective, either, labels, protected};
    use crate::model::{Gap, GapCause};

    fn gap() -> Gap {
        Gap::new(GapCause::Forbidden, "hidden")
    }

    #[test]
    fn what_is_unknown_decides_nothing_and_hides_nothing_that_is_decided() {
        let unknown = || Err(gap());
        assert_eq!(either(Ok(true), unknown()), Ok(true));
        assert_eq!(either(unknown(), Ok(false)), unknown());
        assert_eq!(both(unknown(), Ok(false)), Ok(false));
        assert_eq!(both(Ok(true), unknown()), unknown());
    }

    #[test]
    fn nothing_demands_nothing_and_binds_nobody() {
        assert_eq!((protected(&[]), binds_admins(&[]), labels(&[])), (Ok(false), Ok(false), Ok(Vec::new())));
        assert_eq!(effective(&[]).approvals, Ok(0));
    }

    #[test]
    fn rules_that_all_bind_administrators_bind_them_whatever_they_demand() {
        let mut source = RuleSource { protects: Ok(true), binds_admins: Ok(true), ..RuleSource::unseen(&gap()) };
        assert_eq!(binds_admins(std::slice::from_ref(&source)), Ok(true));
        source.binds_admins = Err(gap());
        assert_eq!(binds_admins(&[source]), Err(gap()));
    }

    fn any_source() -> impl Strategy<Value = RuleSource> {
        let flags = prop::collection::vec((prop::sample::select(Demand::ALL.to_vec()), any::<bool>()), 0..4);
        let checks = prop::collection::btree_set((prop_oneof![Just("a"), Just("b")], prop::option::of(Just("app"))), 0..3);
        (flags, 0..3_i64, checks, any::<[bool; 2]>(), prop::collection::btree_set("[a-c]", 0..2)).prop_map(
            |(flags, approvals, checks, [protects, binds], bypass)| {
                let mut demands = Demands::none();
                flags.into_iter().for_each(|(demand, made)| demands.add(demand, Ok(made)));
                demands.approvals = Ok(approvals);
                demands.checks = Ok(checks.into_iter().map(|(context, app)| Check { context: context.into(), app: app.map(Into::into) }).collect());
                RuleSource { label: Ok("r".into()), protects: Ok(protects), demands, binds_admins: Ok(binds), bypass: Ok(bypass) }
            },
        )
    }

    /// The same source with some of its facts hidden: each bit of `hide` hides one.
    fn hidden(mut source: RuleSource, hide: u32) -> RuleSource {
        let bit = |n: usize| hide & (1 << n) != 0;
        if bit(31) {
            return RuleSource::unseen(&gap());
        }
        for (n, demand) in Demand::ALL.into_iter().enumerate() {
            if bit(n) {
                source.demands.flags.insert(demand, Err(gap()));
            }
        }
        let conceal = |n| bit(n).then(gap);
        source.demands.approvals = conceal(12).map_or(source.demands.approvals, Err);
        source.demands.checks = conceal(13).map_or(source.demands.checks, Err);
        source.protects = conceal(14).map_or(source.protects, Err);
        source.binds_admins = conceal(15).map_or(source.binds_admins, Err);
        source.bypass = conceal(16).map_or(source.bypass, Err);
        source.label = conceal(17).map_or(source.label, Err);
        source
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        /// Who sees less is told less, never something else.
        #[test]
        fn hiding_facts_never_changes_an_answer(sources in prop::collection::vec((any_source(), any::<u32>(), any::<u32>()), 0..4)) {
            let whole: Vec<_> = sources.iter().map(|(source, _, _)| source.clone()).collect();
            let partial: Vec<_> = sources.into_iter().map(|(source, a, b)| hidden(source, a & b)).collect();
            let (all, some) = (effective(&whole), effective(&partial));
            for demand in Demand::ALL {
                prop_assert!(some.flag(demand).is_err() || some.flag(demand) == all.flag(demand));
            }
            prop_assert!(some.approvals.is_err() || some.approvals == all.approvals);
            prop_assert!(some.checks.is_err() || some.checks == all.checks);
            prop_assert!(protected(&partial).is_err() || protected(&partial) == protected(&whole));
            prop_assert!(binds_admins(&partial).is_err() || binds_admins(&partial) == binds_admins(&whole));
            prop_assert!(bypass_actors(&partial).is_err() || bypass_actors(&partial) == bypass_actors(&whole));
            prop_assert!(binds_admins(&whole).is_ok(), "who sees all can tell");
        }

        /// The order in which rules are read does not matter.
        #[test]
        fn the_order_of_rules_does_not_matter(sources in prop::collection::vec(any_source(), 0..4)) {
            let reversed: Vec<_> = sources.iter().rev().cloned().collect();
            prop_assert_eq!(effective(&sources), effective(&reversed));
            prop_assert_eq!(binds_admins(&sources), binds_admins(&reversed));
        }
    }
}
