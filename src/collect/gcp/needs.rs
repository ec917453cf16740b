//! With which permissions the kinds ask, read off the same tables that asking and reading go by, so that no list of them is kept by hand.
//!
//! Left out: what each opens (`cli` knows the controls), and roles that hold them.

use crate::collect::gcp::asset::Asset;
use crate::collect::gcp::direct::Direct;
use crate::collect::gcp::inventory::Content;
use crate::collect::gcp::{policies, served};
use crate::model::{Level, Need, Route};

/// Folders directly below a folder or an organisation.
pub(super) const FOLDERS_LIST: Need = Need { permission: "resourcemanager.folders.list", level: Level::Folder, route: Route::Always };
/// Projects directly below a folder or an organisation.
pub(super) const PROJECTS_LIST: Need = Need { permission: "resourcemanager.projects.list", level: Level::Folder, route: Route::Always };
/// One project, and the search that the lists are compared with.
pub(super) const PROJECTS_GET: Need = Need::of_project("resourcemanager.projects.get", Route::Always);
/// Which projects there are, which every kind asks first.
pub(super) const HIERARCHY: [Need; 3] = [FOLDERS_LIST, PROJECTS_LIST, PROJECTS_GET];

/// What a service alone tells of the projects that there are, or of all of them together.
pub(super) fn of_service(permissions: &[&'static str]) -> Vec<Need> {
    HIERARCHY.iter().copied().chain(permissions.iter().map(|permission| Need::of_project(permission, Route::Always))).collect()
}

/// To be shown by the inventory.
pub(super) fn of_content(content: Content) -> Need {
    Need::of_project(content.permission(), Route::Always)
}

/// The policies of projects, folders and organisations; the inventory lists them together, and its projects are held against the hierarchy's.
pub(super) fn of_policies() -> Vec<Need> {
    let level = |of: &str| match of {
        "organizations" => Level::Organization,
        "folders" => Level::Folder,
        _ => Level::Project,
    };
    let single = policies::OPERATIONS.iter().map(|(of, _operation, permission, _)| Need { permission, level: level(of), route: Route::Fallback });
    HIERARCHY.iter().copied().chain([Content::IamPolicy, Content::Resource].map(of_content)).chain(single).collect()
}

/// A table that the inventory shows. Of what services tell, some is asked for whatever the inventory shows.
pub(super) fn of_asset(asset: &Asset) -> Vec<Need> {
    let policy = asset.wants_policy().then_some(Content::IamPolicy);
    let shown = [Content::Resource].into_iter().chain(policy).map(of_content);
    let told = served::of_kind(asset.kind.name).flat_map(|served| of_direct(&served.listing, if served.is_fallback { Route::Fallback } else { Route::Always }));
    let alone = asset.direct.iter().flat_map(|direct| of_direct(direct, Route::Fallback));
    HIERARCHY.iter().copied().chain(shown).chain(told).chain(alone).collect()
}

/// A table that only its service lists; the inventory says whom to ask.
pub(super) fn of_listed(asset: &Asset) -> Vec<Need> {
    let listed = asset.direct.iter().flat_map(|direct| of_direct(direct, Route::Always));
    HIERARCHY.iter().copied().chain([of_content(Content::Resource)]).chain(listed).collect()
}

fn of_direct(direct: &Direct, route: Route) -> impl Iterator<Item = Need> {
    let policy = direct.policy.as_ref().map(|policy| policy.permission);
    std::iter::once(direct.permission).chain(policy).map(move |permission| Need::of_project(permission, route))
}
