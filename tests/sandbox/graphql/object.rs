//! What a query walks over: objects that know their own fields.

use std::rc::Rc;

use serde_json::Value;

use crate::sandbox::graphql::arguments::Arguments;
use crate::sandbox::graphql::connection::Connection;

/// Something with fields.
pub(crate) trait Object<'w> {
    /// Its GraphQL type.
    fn typename(&self) -> &'static str;

    /// A field's value; none where it has no such field.
    fn field(&self, name: &str, arguments: &Arguments) -> Option<Shown<'w>>;
}

/// What a field shows.
#[derive(Clone)]
pub(crate) enum Shown<'w> {
    /// A scalar, an enum, a list of those, or null.
    Leaf(Value),
    /// An object.
    One(Rc<dyn Object<'w> + 'w>),
    /// A list of objects.
    Many(Vec<Self>),
    /// A connection.
    Connection(Rc<Connection<'w>>),
    /// Null, and an error of this type with this message.
    Refused(&'static str, String),
}

impl<'w> Shown<'w> {
    /// Null.
    pub(crate) const NULL: Self = Self::Leaf(Value::Null);

    /// An object.
    pub(crate) fn one(object: impl Object<'w> + 'w) -> Self {
        Self::One(Rc::new(object))
    }

    /// A list of objects.
    pub(crate) fn many<O: Object<'w> + 'w>(objects: impl IntoIterator<Item = O>) -> Self {
        Self::Many(objects.into_iter().map(Self::one).collect())
    }

    /// An object, or null.
    pub(crate) fn maybe(object: Option<impl Object<'w> + 'w>) -> Self {
        object.map_or(Self::NULL, Self::one)
    }
}

/// A scalar.
pub(crate) fn leaf<'w>(value: impl Into<Value>) -> Shown<'w> {
    Shown::Leaf(value.into())
}

/// A small object made on the spot.
pub(crate) struct Record<'w> {
    typename: &'static str,
    fields: Vec<(&'static str, Shown<'w>)>,
}

impl<'w> Record<'w> {
    /// An object of that type with those fields.
    pub(crate) fn new(typename: &'static str, fields: impl IntoIterator<Item = (&'static str, Shown<'w>)>) -> Self {
        Self { typename, fields: fields.into_iter().collect() }
    }
}

impl<'w> Object<'w> for Record<'w> {
    fn typename(&self) -> &'static str {
        self.typename
    }

    fn field(&self, name: &str, _arguments: &Arguments) -> Option<Shown<'w>> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, shown)| shown.clone())
    }
}

/// Interfaces and unions that inline fragments name, with their types.
const ABSTRACT: &[(&str, &[&str])] = &[
    ("Assignable", &["Issue", "PullRequest"]),
    ("Labelable", &["Issue", "PullRequest", "Discussion"]),
    ("ProjectV2FieldCommon", &["ProjectV2Field", "ProjectV2IterationField", "ProjectV2SingleSelectField"]),
    (
        "ProjectV2ItemFieldValueCommon",
        &[
            "ProjectV2ItemFieldDateValue",
            "ProjectV2ItemFieldIterationValue",
            "ProjectV2ItemFieldNumberValue",
            "ProjectV2ItemFieldSingleSelectValue",
            "ProjectV2ItemFieldTextValue",
        ],
    ),
    ("Actor", &["User", "Bot", "Organization", "Mannequin", "EnterpriseUserAccount"]),
    ("Assignee", &["User", "Bot", "Organization", "Mannequin"]),
    ("BranchActorAllowanceActor", &["User", "Team", "App"]),
    ("BypassActor", &["Team", "App"]),
    ("Closer", &["PullRequest", "Commit", "ProjectV2"]),
    ("GitObject", &["Commit", "Tree", "Blob", "Tag"]),
    ("RepositoryOwner", &["Organization", "User"]),
    ("RuleSource", &["Organization", "Repository", "Enterprise"]),
    ("RequirableByPullRequest", &["CheckRun", "StatusContext"]),
    ("ReferencedSubject", &["PullRequest", "Issue"]),
];

/// Whether an object of this type meets a fragment's type condition.
pub(crate) fn meets(typename: &str, condition: &str) -> bool {
    let listed = |types: &[&str]| types.contains(&typename);
    // Everything with an id is a Node; the types without one are never asked for it.
    condition == typename || condition == "Node" || ABSTRACT.iter().any(|(name, types)| *name == condition && listed(types))
}
