//! Text that people really write, and text that someone writes to break a report: formulas, markup, quotes, directions, line ends.

/// Titles and labels; harmless ones and hostile ones.
pub(crate) const HOSTILE: &[&str] = &[
    "=HYPERLINK(\"https://example.com/?q=\"&A1,\"open\")",
    "+1+1 @SUM(A1:A9)",
    "<script>document.title='x'</script>",
    "\"quoted\", 'single' & comma; semicolon",
    "right-to-left \u{202e}gpj.exe\u{202c} end",
    "two\r\nlines\tand a tab",
    "naïve — 日本語 🎉 \u{200b}zero width",
    "-2+3 {{7*7}} ${x} %s \\",
];

/// Harmless titles of changes.
pub(crate) const CHANGES: &[&str] = &[
    "Rotate the ingress certificates",
    "Raise the memory limit of the indexer",
    "Add alerts for replication lag",
    "Update dependencies",
    "Restrict egress of the build runners",
    "Write the postmortem template",
    "Pin the base images",
    "Move the cron jobs to the regional cluster",
];

/// Harmless titles of tasks.
pub(crate) const TASKS: &[&str] = &[
    "Restore test of the primary database",
    "Quarterly review of team memberships",
    "Uptime monitoring covers every managed instance",
    "Backups: daily, versioned, kept 90 days",
    "Access to production is logged and retained",
    "Separate environments are documented",
    "Deployments are restricted to the release team",
    "Disaster recovery walk-through",
    "Upgrade of the managed instances",
];
