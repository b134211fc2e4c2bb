//! How much memory there is for weights and for the KV cache.
//!
//! The system's word alone would be wrong in a container, where it is the host's. So the limits of
//! the process's control group and of all groups around it count too (sysinfo walks them, in both
//! versions of cgroups), with one correction: sysinfo counts page cache as used, and the files of a
//! checkpoint that was read before would seem to take the memory that is there for it. What the
//! kernel itself calls `inactive_file` it gives up before a process of the group is killed.

use bytesize::ByteSize;
use sysinfo::{CGroupLimits, MemoryRefreshKind, ProcessRefreshKind, ProcessesToUpdate, System};

/// Bytes that can be had without swapping; `None` where the system does not say.
pub(crate) fn free_bytes() -> Option<usize> {
    let mut system = System::new().ok()?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let free = within_group(
        system.available_memory(),
        group_limits(&mut system),
        inactive_file_bytes(),
    );
    // sysinfo says 0 where it does not know the system.
    usize::try_from(free).ok().filter(|&free| free > 0)
}

/// A number of bytes for people, such as `1.4 MiB` or `320.0 GiB`.
pub(crate) fn human_size(bytes: usize) -> String {
    ByteSize(bytes as u64).display().iec().to_string()
}

/// The tightest limits of the control groups around this process; `None` without a limit.
fn group_limits(system: &mut System) -> Option<CGroupLimits> {
    let pid = sysinfo::get_current_pid().ok()?;
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        false,
        ProcessRefreshKind::nothing(),
    );
    // Where the own group has no memory controller, the root that is seen may still have a limit.
    let own = system.process(pid).and_then(|own| own.cgroup_limits());
    own.or_else(|| system.cgroup_limits())
}

/// The smaller of what the system has and what the group's limit leaves, where `inactive_file`
/// bytes of the group's usage can be reclaimed.
fn within_group(available: u64, limits: Option<CGroupLimits>, inactive_file: u64) -> u64 {
    match limits {
        None => available,
        Some(limits) => {
            // Swap is left out: each step reads all weights.
            let free = limits.free_memory.saturating_add(inactive_file);
            available.min(free.min(limits.total_memory))
        }
    }
}

/// Page cache of this process's own group that the kernel reclaims first; 0 where there is no
/// group.
///
/// A group around it may have more. To count only the own one errs on the safe side.
fn inactive_file_bytes() -> u64 {
    let Ok(groups) = std::fs::read_to_string("/proc/self/cgroup") else {
        return 0;
    };
    stat_files(&groups)
        .iter()
        .find_map(|file| std::fs::read_to_string(file).ok())
        .and_then(|stat| inactive_file(&stat))
        .unwrap_or(0)
}

/// Where the statistics of a process's group may lie, by its `/proc/PID/cgroup`: a memory
/// controller of version 1 decides, as it does for the limits. A container may see its own group as
/// the root of the mounted tree although its name says otherwise, so the root comes last.
fn stat_files(groups: &str) -> Vec<String> {
    let lines = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        Some((controllers, path.trim_end_matches('/')))
    });
    let (mut v1, mut v2) = (None, None);
    for (controllers, path) in lines {
        match controllers {
            "" => v2 = Some(path),
            names if names.split(',').any(|name| name == "memory") => v1 = Some(path),
            _ => {}
        }
    }
    let (mount, path) = match (v1, v2) {
        (Some(path), _) => ("/sys/fs/cgroup/memory", path),
        (None, Some(path)) => ("/sys/fs/cgroup", path),
        (None, None) => return Vec::new(),
    };
    vec![
        format!("{mount}{path}/memory.stat"),
        format!("{mount}/memory.stat"),
    ]
}

/// `inactive_file` of a group and those within it: in version 1 the sum over the groups within has
/// a name of its own.
fn inactive_file(stat: &str) -> Option<u64> {
    let field = |name: &str| {
        let value = |line: &str| line.strip_prefix(name)?.trim().parse().ok();
        stat.lines().find_map(value)
    };
    field("total_inactive_file ").or_else(|| field("inactive_file "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn limits(total_memory: u64, free_memory: u64) -> Option<CGroupLimits> {
        Some(CGroupLimits {
            total_memory,
            free_memory,
            free_swap: 0,
            rss: 0,
        })
    }

    #[test]
    fn the_tighter_of_system_and_group_counts() {
        assert_eq!(within_group(24 * GIB, None, 5 * GIB), 24 * GIB);
        assert_eq!(within_group(24 * GIB, limits(8 * GIB, 3 * GIB), 0), 3 * GIB);
        assert_eq!(within_group(2 * GIB, limits(8 * GIB, 3 * GIB), 0), 2 * GIB);
    }

    #[test]
    fn page_cache_of_the_group_is_free_but_not_beyond_its_limit() {
        let group = limits(8 * GIB, GIB);
        assert_eq!(within_group(24 * GIB, group.clone(), 4 * GIB), 5 * GIB);
        assert_eq!(within_group(24 * GIB, group.clone(), 40 * GIB), 8 * GIB);
        assert_eq!(within_group(24 * GIB, group, u64::MAX), 8 * GIB);
    }

    #[test]
    fn statistics_are_those_of_the_group_that_limits_memory() {
        assert_eq!(
            stat_files("0::/user.slice/run-7.scope\n"),
            [
                "/sys/fs/cgroup/user.slice/run-7.scope/memory.stat",
                "/sys/fs/cgroup/memory.stat"
            ]
        );
        // Both versions at once: memory is version 1's.
        assert_eq!(
            stat_files("9:name=systemd:/\n4:cpu,memory:/docker/7f3b\n0::/init.scope\n"),
            [
                "/sys/fs/cgroup/memory/docker/7f3b/memory.stat",
                "/sys/fs/cgroup/memory/memory.stat"
            ]
        );
        assert_eq!(
            stat_files("0::/\n"),
            ["/sys/fs/cgroup/memory.stat", "/sys/fs/cgroup/memory.stat"]
        );
        assert!(stat_files("").is_empty());
    }

    #[test]
    fn inactive_files_are_read_from_both_versions() {
        let v2 = "anon 4096\nfile 9000\nactive_file 100\ninactive_file 8192\n";
        assert_eq!(inactive_file(v2), Some(8192));
        let v1 = "cache 1\ninactive_file 10\ntotal_cache 2\ntotal_inactive_file 30\n";
        assert_eq!(inactive_file(v1), Some(30));
        assert_eq!(inactive_file("anon 4096\n"), None);
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(free_bytes().is_some_and(|free| free > 1 << 20));
    }

    #[test]
    fn sizes_are_shown_in_the_unit_that_fits() {
        assert_eq!(human_size(1_500_000), "1.4 MiB");
        assert_eq!(human_size(20 << 30), "20.0 GiB");
    }
}
