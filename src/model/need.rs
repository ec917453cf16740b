//! What a credential has to be granted so that a kind can be seen: its permissions, where they count, and when.

/// A permission that a kind needs of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// As the vendor names it, e.g. `compute.instances.list`.
    pub permission: &'static str,
    /// What has to be in scope before anything is asked with it.
    pub level: Level,
    /// When it is asked with.
    pub route: Route,
}

/// The lowest place in a hierarchy that a permission is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A project, or what is in it.
    Project,
    /// A folder or an organisation: what is directly below it.
    Folder,
    /// An organisation.
    Organization,
}

/// Which way something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// Whatever else can be seen.
    Always,
    /// Only where the source that shows everything at once cannot be asked.
    Fallback,
}

impl Need {
    /// Of a project, or of what is in it.
    #[must_use]
    pub const fn of_project(permission: &'static str, route: Route) -> Self {
        Self { permission, level: Level::Project, route }
    }
}
