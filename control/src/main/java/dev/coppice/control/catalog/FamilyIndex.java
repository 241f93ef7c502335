package dev.coppice.control.catalog;

import dev.coppice.control.catalog.model.Branch;
import java.time.Instant;
import java.util.Comparator;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which branches a project has, in order, which one is its default, and which are the children of another: so that none of
 * these questions costs more with ten thousand branches. Ids only; the inventory has the branches. Readers take no lock.
 */
final class FamilyIndex {
    /** Where a branch stands among those of its project; never changes. */
    private record Place(Instant createdAt, String id) implements Comparable<Place> {
        private static final Comparator<Place> ORDER =
                Comparator.comparing(Place::createdAt).thenComparing(Place::id);

        static Place of(Branch branch) {
            return new Place(branch.createdAt(), branch.id());
        }

        @Override
        public int compareTo(Place other) {
            return ORDER.compare(this, other);
        }
    }

    private final Map<String, NavigableSet<Place>> byProject = new ConcurrentHashMap<>();
    private final Map<String, String> defaultByProject = new ConcurrentHashMap<>();
    private final Map<String, Set<String>> childrenByParent = new ConcurrentHashMap<>();

    /** Oldest first. */
    Stream<String> ofProject(String projectId) {
        NavigableSet<Place> places = byProject.get(projectId);
        return places == null ? Stream.empty() : places.stream().map(Place::id);
    }

    Optional<String> defaultOf(String projectId) {
        return Optional.ofNullable(defaultByProject.get(projectId));
    }

    Stream<String> childrenOf(String branchId) {
        return childrenByParent.getOrDefault(branchId, Set.of()).stream();
    }

    /** @param before the same branch as it was; absent for a new one */
    void put(@Nullable Branch before, Branch branch) {
        byProject.compute(branch.projectId(), (_, places) -> {
            NavigableSet<Place> all = places == null ? new ConcurrentSkipListSet<>() : places;
            all.add(Place.of(branch));
            return all;
        });
        if (branch.isDefault()) {
            defaultByProject.put(branch.projectId(), branch.id());
        } else {
            defaultByProject.remove(branch.projectId(), branch.id());
        }
        String parent = branch.parentId();
        if (before != null && before.parentId() != null && !before.parentId().equals(parent)) {
            removeChild(before.parentId(), branch.id());
        }
        if (parent != null) {
            childrenByParent.compute(parent, (_, children) -> {
                Set<String> all = children == null ? ConcurrentHashMap.newKeySet(1) : children;
                all.add(branch.id());
                return all;
            });
        }
    }

    void remove(Branch branch) {
        byProject.computeIfPresent(branch.projectId(), (_, places) -> {
            places.remove(Place.of(branch));
            return places.isEmpty() ? null : places;
        });
        defaultByProject.remove(branch.projectId(), branch.id());
        if (branch.parentId() != null) {
            removeChild(branch.parentId(), branch.id());
        }
    }

    private void removeChild(String parentId, String id) {
        childrenByParent.computeIfPresent(parentId, (_, children) -> {
            children.remove(id);
            return children.isEmpty() ? null : children;
        });
    }
}
