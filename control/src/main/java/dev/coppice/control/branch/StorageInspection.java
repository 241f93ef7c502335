package dev.coppice.control.branch;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Database;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.fault.NoSuchTimelineException;
import dev.coppice.storage.fault.OutsideHistoryException;
import dev.coppice.storage.file.PageVersion;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.upkeep.TimelineSize;
import dev.coppice.storage.verify.Progress;
import dev.coppice.storage.verify.Verification;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What an operator can look at below a branch: sizes, versions of a page, and whether everything is whole. Changes nothing. */
public final class StorageInspection {
    /** Blocks in one file of a relation (RELSEG_SIZE of every stock build). */
    private static final long BLOCKS_PER_FILE = 131_072;

    /** The largest block number (MaxBlockNumber). */
    private static final long MAX_BLOCK = 0xFFFF_FFFEL;

    /** A file of a relation, as Postgres names it; the number of the segment is optional. */
    private static final Pattern RELATION_PATH =
            Pattern.compile("((?:base/\\d+|global)/\\d+(?:_(?:fsm|vm|init))?)(?:\\.(\\d{1,5}))?");

    private static final Pattern OTHER_PATH = Pattern.compile("pg_[a-z_]+/.*|global/.*|base/.*");

    private final Catalog catalog;
    private final Finder finder;
    private final PageService pages;
    private final Computes computes;

    public StorageInspection(Catalog catalog, Finder finder, PageService pages, Computes computes) {
        this.catalog = catalog;
        this.finder = finder;
        this.pages = pages;
        this.computes = computes;
    }

    /**
     * What a branch holds.
     *
     * @param readAmplification the layers of its own that a read of a page may have to look into
     * @param writeDelayMicroseconds that its compute waits before each page it writes, because it writes faster than is
     *     flushed; 0 otherwise
     * @param horizonTime to which time history certainly reaches back; absent when nothing was collected yet
     */
    public record BranchStorage(
            Branch branch,
            TimelineSize size,
            int readAmplification,
            int writeDelayMicroseconds,
            Lsn horizon,
            Optional<Instant> horizonTime) {}

    /**
     * What is known of one block.
     *
     * @param path in the data directory
     * @param block in that file
     */
    public record BlockHistory(String path, long block, List<PageVersion> versions) {}

    /** Measures branches; one that is deleted meanwhile is left out. */
    public List<BranchStorage> sizes(List<Branch> branches) {
        return branches.stream().flatMap(branch -> size(branch).stream()).toList();
    }

    private Optional<BranchStorage> size(Branch branch) {
        try {
            Timeline timeline = pages.timeline(branch.timeline());
            return Optional.of(new BranchStorage(
                    branch,
                    timeline.size(),
                    timeline.readAmplification(),
                    timeline.writeDelayMicroseconds(),
                    timeline.horizon(),
                    timeline.horizonTime()));
        } catch (NoSuchTimelineException e) {
            return Optional.empty();
        }
    }

    /** The timelines that a branch reads: its own and its ancestors', the branch's first. */
    public List<TimelineId> chain(Branch branch) {
        Set<TimelineId> chain = new LinkedHashSet<>();
        Optional<TimelineId> next = Optional.of(branch.timeline());
        while (next.isPresent() && chain.add(next.get())) {
            next = pages.timeline(next.get()).ancestor().map(BranchPoint::timeline);
        }
        return List.copyOf(chain);
    }

    /** Every timeline there is, also those that no branch names. */
    public List<TimelineId> everything() {
        return pages.timelines().stream()
                .sorted(java.util.Comparator.comparing(TimelineId::value))
                .toList();
    }

    /** Checks one timeline; nothing when it is deleted meanwhile. */
    public Verification verify(TimelineId timeline, Progress progress) {
        try {
            return pages.verify(timeline, progress);
        } catch (NoSuchTimelineException e) {
            return Verification.NOTHING;
        }
    }

    /** The branch of each timeline that has one, for naming it. */
    public Optional<Branch> branchOf(TimelineId timeline, Collection<Branch> branches) {
        return branches.stream()
                .filter(branch -> branch.timeline().equals(timeline))
                .findFirst();
    }

    /**
     * Looks a block up.
     *
     * @param relation a path like {@code base/5/16384}, or a name that Postgres knows, whose compute is then woken
     * @param database where to look the name up; null = the branch's first
     * @param fork {@code main}, {@code fsm}, {@code vm} or {@code init}
     * @param block of the relation, or of the file when a path names one
     * @throws ControlException when there is no such relation or block number
     */
    public BlockHistory page(
            Branch branch, String relation, @Nullable String database, String fork, long block, Optional<Lsn> lsn) {
        if (block < 0 || block > MAX_BLOCK) {
            throw ControlException.invalid("block: must be 0 to " + MAX_BLOCK);
        }
        String suffix = switch (fork) {
            case "main" -> "";
            case "fsm", "vm", "init" -> "_" + fork;
            default -> throw ControlException.invalid("fork: must be main, fsm, vm or init");
        };
        Matcher file = RELATION_PATH.matcher(relation);
        String path;
        long inFile = block;
        if (file.matches() || !OTHER_PATH.matcher(relation).matches()) {
            String whole = file.matches() ? file.group(1) : path(branch, relation, database);
            long segment = file.matches() && file.group(2) != null ? Long.parseLong(file.group(2)) : 0;
            segment += block / BLOCKS_PER_FILE;
            inFile = block % BLOCKS_PER_FILE;
            path = whole + suffix + (segment == 0 ? "" : "." + segment);
        } else {
            path = relation;
        }
        try {
            List<PageVersion> versions = pages.timeline(branch.timeline()).versions(path, inFile, lsn);
            return new BlockHistory(path, inFile, versions);
        } catch (OutsideHistoryException e) {
            throw new ControlException(ControlException.Kind.INVALID, "lsn: " + e.getMessage(), e);
        }
    }

    private String path(Branch branch, String relation, @Nullable String database) {
        String chosen = database != null ? database : firstDatabase(branch);
        return computes.run(
                        finder.endpointOf(branch).id(),
                        branch.timeline(),
                        chosen,
                        connection -> ComputeSql.relationPath(connection, relation))
                .orElseThrow(() -> ControlException.notFound("relation \"" + relation
                        + "\" not found, or without a file, in database \"" + chosen + "\" of branch \""
                        + branch.name() + "\""));
    }

    private String firstDatabase(Branch branch) {
        return catalog.transaction(connection -> RoleRows.databases(connection, branch.id())).stream()
                .map(Database::name)
                .findFirst()
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.PRECONDITION,
                        "branch \"" + branch.name() + "\" has no database; name one, or give the file's path"));
    }
}
