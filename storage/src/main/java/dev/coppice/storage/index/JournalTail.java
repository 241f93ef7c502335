package dev.coppice.storage.index;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What the journal holds that no layer holds yet, as of one moment: the index that grows, and behind it the one that is
 * being flushed.
 */
public final class JournalTail {
    private final TimelineIndex active;
    private final @Nullable TimelineIndex frozen;

    JournalTail(TimelineIndex active, @Nullable TimelineIndex frozen) {
        this.active = active;
        this.frozen = frozen;
    }

    /** What of the entries is damaged. */
    public List<Damage> damage() {
        List<Damage> newer = active.damage();
        if (frozen == null || frozen.damage().isEmpty()) {
            return newer;
        }
        List<Damage> all = new ArrayList<>(newer);
        all.addAll(frozen.damage());
        return all;
    }

    /** What the entries say of a file. */
    public OwnFile file(String path, long lsn) {
        OwnFile newer = active.file(path, lsn);
        return frozen == null || newer.isFinal() ? newer : newer.over(frozen.file(path, lsn));
    }

    /** Whether the entries say that a directory is there; empty when they say nothing. */
    public Optional<Boolean> directory(String path, long lsn) {
        Optional<Boolean> newer = active.directory(path, lsn);
        return frozen == null || newer.isPresent() ? newer : frozen.directory(path, lsn);
    }

    /** Where the entries have a block. */
    public BlockVersion block(String path, long block, long lsn) {
        BlockVersion newer = active.block(path, block, lsn);
        return frozen == null || newer.source() != BlockVersion.Source.NONE ? newer : frozen.block(path, block, lsn);
    }

    /** Hands over everything that the entries have of a block: first what is newer. */
    public void exportBlock(String path, long block, IndexExport target) {
        active.exportBlock(path, block, target);
        if (frozen != null) {
            frozen.exportBlock(path, block, target);
        }
    }

    /** Every name that the entries ever made or removed in a directory. */
    public Collection<String> namesEverIn(String directory) {
        if (frozen == null) {
            return List.copyOf(active.namesEverIn(directory));
        }
        Set<String> names = new TreeSet<>(active.namesEverIn(directory));
        names.addAll(frozen.namesEverIn(directory));
        return names;
    }

    /** Every directory that the entries ever made or removed. */
    public Collection<String> directoriesEver() {
        List<String> directories = new ArrayList<>(active.directoriesEver());
        if (frozen != null) {
            directories.addAll(frozen.directoriesEver());
        }
        return directories;
    }
}
