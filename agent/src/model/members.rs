//! Which goroutines are in which group, and what they wait on.

/// Of each group of an assessment the goroutines that its source knows by their ids, and what these wait on. Empty where
/// nothing knows goroutines apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Where the members of each group begin among all, and where the last ends.
    starts: Vec<u32>,
    /// All members, by group: their ids, and where what each waits on ends.
    all: Vec<(u64, u32)>,
    objects: Vec<u64>,
}

/// A goroutine, and what it waits on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its id.
    pub goid: u64,
    /// Addresses of channels and locks.
    pub objects: &'a [u64],
}

impl Members {
    /// Of groups, each of whose members are given in turn.
    pub fn of<'a, G>(groups: impl Iterator<Item = G>) -> Self
    where
        G: Iterator<Item = Member<'a>>,
    {
        let mut members = Self { starts: vec![0], ..Self::default() };
        for group in groups {
            for Member { goid, objects } in group {
                members.objects.extend_from_slice(objects);
                members.all.push((goid, place(members.objects.len())));
            }
            members.starts.push(place(members.all.len()));
        }
        members
    }

    /// Those of a group.
    pub fn of_group(&self, group: usize) -> impl Iterator<Item = Member<'_>> {
        let start = self.starts.get(group).copied().unwrap_or(0);
        let end = self.starts.get(group + 1).copied().unwrap_or(start);
        (start as usize..end as usize).filter_map(|at| self.member(at))
    }

    /// The group of a goroutine.
    #[must_use]
    pub fn group(&self, goid: u64) -> Option<usize> {
        let at = place(self.all.iter().position(|(id, _)| *id == goid)?);
        // The first groups may be empty.
        Some(self.starts.partition_point(|start| *start <= at).saturating_sub(1))
    }

    fn member(&self, at: usize) -> Option<Member<'_>> {
        let before = at.checked_sub(1).and_then(|before| self.all.get(before));
        let start = before.map_or(0, |(_, end)| *end as usize);
        let (goid, end) = *self.all.get(at)?;
        Some(Member { goid, objects: self.objects.get(start..end as usize).unwrap_or_default() })
    }
}

/// Sources bound goroutines, and what these wait on, far below 2^32.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_group_and_groups_by_member() {
        let member = |goid, objects| Member { goid, objects };
        let groups: [&[Member<'_>]; 4] = [
            &[],
            &[member(7, &[0x10, 0x20][..]), member(9, &[])],
            &[],
            &[member(3, &[0x30]), member(4, &[0x40])],
        ];
        let members = Members::of(groups.iter().map(|group| group.iter().copied()));
        for (number, group) in groups.iter().enumerate() {
            assert_eq!(members.of_group(number).collect::<Vec<_>>(), *group);
            for member in *group {
                assert_eq!(members.group(member.goid), Some(number));
            }
        }
        assert_eq!(members.group(5), None);
        assert_eq!(members.of_group(4).count(), 0);
        assert_eq!(Members::default().of_group(0).count(), 0);
    }
}
