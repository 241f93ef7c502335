package dev.coppice.storage;

import dev.coppice.common.TimelineId;
import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.common.task.PeriodicTask;
import dev.coppice.storage.boundary.Boundary;
import dev.coppice.storage.boundary.BoundaryDocuments;
import dev.coppice.storage.fault.BoundaryException;
import dev.coppice.storage.fault.ChainTooLongException;
import dev.coppice.storage.fault.EpochRunningException;
import dev.coppice.storage.fault.NoSuchTimelineException;
import dev.coppice.storage.fault.OutsideHistoryException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.fault.TimelineExistsException;
import dev.coppice.storage.fault.TimelineHasChildrenException;
import dev.coppice.storage.history.Lease;
import dev.coppice.storage.history.StorageResources;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.layout.TimelineLayout;
import dev.coppice.storage.layout.TimelineMetadata;
import dev.coppice.storage.upkeep.GarbageCollection;
import dev.coppice.storage.verify.Progress;
import dev.coppice.storage.verify.TimelineVerifier;
import dev.coppice.storage.verify.Verification;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All timelines below one directory. Thread-safe; calls block on disk, so call from virtual threads.
 *
 * <p>One process at a time may have a directory open; the caller sees to that.
 */
public final class PageService implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PageService.class);

    /** How often the journals of running computes are read. */
    private static final Duration FOLLOW_INTERVAL = Duration.ofMillis(200);

    /** Directories being made or unmade; the name cannot be a timeline's. */
    private static final String NEW_PREFIX = ".new-";

    private static final String DELETED_PREFIX = ".deleted-";

    private final Path root;
    private final StorageResources resources;
    private final Maintenance maintenance;
    private final Map<TimelineId, Timeline> timelines = new ConcurrentHashMap<>();

    /** Orders creation and deletion, so that no child appears under a timeline that goes. */
    private final ReentrantLock structure = new ReentrantLock();

    /** Timelines that could not be followed the last time; said once. */
    private final Set<TimelineId> failing = ConcurrentHashMap.newKeySet();

    private final PeriodicTask follower;
    private volatile boolean closed;

    private PageService(Path root, StorageResources resources) {
        this.root = root;
        this.resources = resources;
        maintenance = new Maintenance(() -> List.copyOf(timelines.values()), resources);
        follower = PeriodicTask.named("storage-follower").every(FOLLOW_INTERVAL).doing(this::follow);
    }

    /**
     * Opens the directory, creating it when absent. Reads metadata only: an index is built when its timeline is first
     * used.
     */
    public static PageService open(Path timelinesDirectory) {
        return open(timelinesDirectory, StorageConfiguration.DEFAULTS);
    }

    /** As {@link #open(Path)}, with limits and thresholds. */
    public static PageService open(Path timelinesDirectory, StorageConfiguration configuration) {
        return open(timelinesDirectory, configuration, FileWrites.DIRECT);
    }

    /** @param writes how layers and manifests are written; a test makes it fail */
    static PageService open(Path timelinesDirectory, StorageConfiguration configuration, FileWrites writes) {
        PageService service =
                new PageService(timelinesDirectory, StorageResources.of(timelinesDirectory, configuration, writes));
        try {
            if (!Files.isDirectory(timelinesDirectory)) {
                Files.createDirectories(timelinesDirectory);
                // Computes run as another user: they may pass through, not look around.
                Files.setPosixFilePermissions(timelinesDirectory, PosixFilePermissions.fromString("rwx--x--x"));
            }
            service.load();
        } catch (IOException e) {
            throw new StorageException("cannot open " + timelinesDirectory, e);
        }
        service.follower.start();
        service.maintenance.start();
        return service;
    }

    /**
     * Creates an empty timeline without a parent; durable when it returns.
     *
     * @throws TimelineExistsException when the id is taken
     */
    public Timeline createRoot(TimelineId id) {
        return create(id, null, null);
    }

    /**
     * Creates a timeline that begins at {@code point}: O(1), durable when it returns.
     *
     * @throws TimelineExistsException when the id is taken
     * @throws NoSuchTimelineException when the point's timeline is not there
     * @throws OutsideHistoryException when the point was collected
     * @throws ChainTooLongException when the point's timeline has {@link Timeline#MAX_DEPTH} ancestors
     * @throws BoundaryException when the point's timeline is anonymized, and what hides its originals is not what it was
     */
    public Timeline createBranch(TimelineId id, BranchPoint point) {
        try (Lease _ = lease(point)) {
            return create(id, point, null);
        }
    }

    /**
     * As {@link #createBranch(TimelineId, BranchPoint)}, but the timeline sees its parent through a boundary. It must begin at a
     * clean shutdown: without WAL of its parent it could not be recovered.
     *
     * @param boundary the document that {@link #useBoundaries}'s loader makes the boundary of, now and after every restart
     * @throws StorageException when the parent was not shut down cleanly at the point
     * @throws BoundaryException when the parent itself cannot be shown
     */
    public Timeline createBranch(TimelineId id, BranchPoint point, byte[] boundary) {
        try (Lease _ = lease(point)) {
            timeline(point.timeline()).requireCleanAt(point.lsn());
            return create(id, point, boundary);
        }
    }

    /**
     * The document that a timeline with a boundary was made with.
     *
     * @throws StorageException when it has none
     */
    public byte[] boundaryDocument(TimelineId id) {
        Timeline timeline = timeline(id);
        if (!timeline.hasBoundary()) {
            throw new StorageException("timeline " + id + " has no boundary");
        }
        return resources.boundaries().read(timeline.metadata());
    }

    /** Says what makes boundaries of their documents; until then nothing can be read through one. */
    public void useBoundaries(Boundary.Loader loader) {
        resources.boundaries().use(loader);
    }

    /**
     * The timeline with this id; the same object on every call.
     *
     * @throws NoSuchTimelineException when there is none
     */
    public Timeline timeline(TimelineId id) {
        Timeline timeline = timelines.get(id);
        if (timeline == null) {
            throw new NoSuchTimelineException(id);
        }
        return timeline;
    }

    /** Whether a timeline has this id. */
    public boolean exists(TimelineId id) {
        return timelines.containsKey(id);
    }

    /** A snapshot of all ids. */
    public Set<TimelineId> timelines() {
        return Set.copyOf(timelines.keySet());
    }

    /** A snapshot of the timelines whose parent is {@code id}. */
    public Set<TimelineId> children(TimelineId id) {
        return resources.retention().children(id);
    }

    /**
     * Deletes a timeline and everything in its directory; its parent need no longer keep what it began at.
     *
     * @throws TimelineHasChildrenException when another timeline begins on it
     * @throws EpochRunningException when a compute holds its writer lock
     */
    public void delete(TimelineId id) {
        Path doomed;
        structure.lock();
        try {
            Timeline timeline = timeline(id);
            Set<TimelineId> children = children(id);
            if (!children.isEmpty()) {
                throw new TimelineHasChildrenException(id, children);
            }
            if (timeline.writerRunning()) {
                throw new EpochRunningException(id);
            }
            refuseWhileUnknown(timeline);
            timeline.stopFollowing();
            // A name of its own: a timeline of this id may be made and deleted again before all of it is gone.
            Path gone = root.resolve(DELETED_PREFIX + id + "~" + Long.toHexString(System.nanoTime()));
            timeline.upkeep().close(() -> remove(timeline, gone));
            resources.boundaries().delete(id);
            doomed = gone;
        } catch (IOException e) {
            throw new StorageException("cannot delete timeline " + id, e);
        } finally {
            structure.unlock();
        }
        try {
            // Not under the lock: to unlink what is large takes long, and others branch meanwhile.
            DurableFiles.deleteRecursively(doomed);
        } catch (IOException e) {
            throw new StorageException(
                    "timeline " + id + " is deleted, but its files are not all gone; the next start removes them", e);
        }
    }

    /** What cannot be used itself may go, and what begins on such a one. */
    private void refuseWhileUnknown(Timeline timeline) {
        Set<TimelineId> unknown = resources.retention().unknown();
        if (!unknown.isEmpty() && !timeline.isOrBeginsOnOneOf(unknown)) {
            throw new StorageException("timeline " + timeline.id() + " is not deleted: it is not known where "
                    + unknown.iterator().next() + " begins, which may read from it. Restore the "
                    + TimelineMetadata.FILE_NAME + " of that one from a backup, or delete it");
        }
    }

    private void remove(Timeline timeline, Path doomed) {
        try {
            Files.move(timeline.layout().directory(), doomed, StandardCopyOption.ATOMIC_MOVE);
            DurableFiles.syncDirectory(root);
        } catch (IOException e) {
            throw new StorageException("cannot delete timeline " + timeline.id(), e);
        }
        timelines.remove(timeline.id());
        resources.retention().remove(timeline.id());
        resources.files().forgetBelow(timeline.layout().directory());
    }

    /**
     * Says how much history a timeline keeps: older points can no longer be read once collected, unless a child begins
     * there or a lease holds them. Until it is called, nothing of the timeline is collected. Not remembered over a restart.
     */
    public void setRetention(TimelineId id, Duration historyRetention) {
        if (historyRetention.isNegative()) {
            throw new IllegalArgumentException("a retention of " + historyRetention + " is not possible");
        }
        resources.retention().set(timeline(id).id(), historyRetention);
    }

    /**
     * Protects a point that is about to be used.
     *
     * @throws OutsideHistoryException when it was collected already
     */
    public Lease lease(BranchPoint point) {
        Timeline timeline = timeline(point.timeline());
        // Reads the manifests, if need be, before the lock is taken.
        timeline.branchPoints().refuseCollected(point.lsn());
        return resources.retention().lease(point, () -> timeline.branchPoints().refuseCollected(point.lsn()));
    }

    /** Merges layers of the timeline now, as far as that is worth it; the background does so by itself. */
    public void compact(TimelineId id) {
        timeline(id).upkeep().compact(false);
    }

    /**
     * Flushes, advances the timeline's horizon to its retention and removes what no point can see any more, now; the
     * background does so by itself.
     */
    public GarbageCollection collectGarbage(TimelineId id) {
        return timeline(id).upkeep().collectGarbage();
    }

    /**
     * Reads everything that a timeline keeps, and says what is wrong with it. Changes nothing, and disturbs nobody but by the
     * disk's and the processor's time that it takes.
     */
    public Verification verify(TimelineId id, Progress progress) {
        return new TimelineVerifier(timeline(id).verifySubject(), progress).run();
    }

    @Override
    public void close() {
        closed = true;
        resources.closed().set(true);
        maintenance.close();
        follower.close();
        resources.files().close();
    }

    private Timeline create(TimelineId id, @Nullable BranchPoint point, byte @Nullable [] document) {
        if (id.value().equals(BoundaryDocuments.DIRECTORY)) {
            throw new IllegalArgumentException("no timeline can be called " + id);
        }
        structure.lock();
        try {
            if (timelines.containsKey(id)) {
                throw new TimelineExistsException(id);
            }
            Timeline parent = point == null ? null : timeline(point.timeline());
            if (parent != null && parent.depth() >= Timeline.MAX_DEPTH) {
                throw new ChainTooLongException(parent.id(), Timeline.MAX_DEPTH);
            }
            if (parent != null) {
                parent.requireWholeBoundaries();
            }
            Path temporary = root.resolve(NEW_PREFIX + id);
            Path directory = root.resolve(id.value());
            DurableFiles.deleteRecursively(temporary);
            DurableFiles.createPrivateDirectory(temporary);
            String boundary = null;
            if (document != null && point != null) {
                // A document that a crash leaves is known by this directory, so it must be there first.
                DurableFiles.syncDirectory(root);
                boundary = resources.boundaries().store(id, point, document);
            }
            TimelineMetadata metadata =
                    TimelineMetadata.of(id, point, Instant.now().truncatedTo(ChronoUnit.MICROS), boundary);
            metadata.store(temporary);
            Files.move(temporary, directory, StandardCopyOption.ATOMIC_MOVE);
            DurableFiles.syncDirectory(root);
            Timeline timeline = new Timeline(metadata, new TimelineLayout(directory), parent, resources);
            timelines.put(id, timeline);
            resources.retention().add(id, point);
            return timeline;
        } catch (IOException e) {
            throw new StorageException("cannot create timeline " + id, e);
        } finally {
            structure.unlock();
        }
    }

    private void load() throws IOException {
        resources.boundaries().adoptFormerDirectory();
        Map<TimelineId, TimelineMetadata> found = new HashMap<>();
        try (Stream<Path> names = Files.list(root)) {
            for (Path directory : (Iterable<Path>) names::iterator) {
                String name = directory.getFileName().toString();
                if (name.startsWith(NEW_PREFIX)) {
                    deleteLeftOver(directory, name.substring(NEW_PREFIX.length()));
                } else if (name.startsWith(DELETED_PREFIX)) {
                    int end = name.indexOf('~');
                    deleteLeftOver(directory, name.substring(DELETED_PREFIX.length(), end < 0 ? name.length() : end));
                } else {
                    loadMetadata(directory, found);
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        for (TimelineMetadata metadata : found.values()) {
            build(metadata, found);
        }
        for (Timeline timeline : timelines.values()) {
            try {
                timeline.requireWholeBoundary();
            } catch (StorageException e) {
                LOG.error("{}", e.getMessage());
            }
        }
    }

    private void loadMetadata(Path directory, Map<TimelineId, TimelineMetadata> found) throws IOException {
        boolean there = Files.exists(directory.resolve(TimelineMetadata.FILE_NAME));
        if (!there && !Files.isDirectory(new TimelineLayout(directory).journal())) {
            return;
        }
        try {
            TimelineMetadata metadata = withBoundary(TimelineMetadata.load(directory), directory);
            found.put(metadata.id(), metadata);
        } catch (StorageException e) {
            String name = directory.getFileName().toString();
            if (!TimelineId.isValid(name)) {
                LOG.warn("{} is no timeline and stays as it is: {}", directory, e.getMessage());
                return;
            }
            refuse(new TimelineId(name), String.valueOf(e.getMessage()));
        }
    }

    /**
     * A timeline of which it cannot be told where it begins: it is there and shows nothing, and until it is repaired or deleted nothing is
     * collected, anywhere. The others are used as always.
     */
    private void refuse(TimelineId id, String reason) {
        TimelineMetadata unknown = TimelineMetadata.of(id, null, Instant.EPOCH, null);
        Timeline timeline = new Timeline(unknown, new TimelineLayout(root.resolve(id.value())), null, resources);
        timeline.refuse("timeline " + id + " cannot be used, and nothing of any timeline is collected meanwhile: "
                + reason + ". Restore it from a backup and restart the server, or delete the branch");
        timelines.put(id, timeline);
        resources.retention().addUnknown(id);
    }

    /** Of a creation or a deletion that a crash ended; its document goes first, because the directory says that it may go. */
    private void deleteLeftOver(Path directory, String id) throws IOException {
        resources.boundaries().deleteLeftOver(id);
        DurableFiles.deleteRecursively(directory);
    }

    /** Metadata of a former version learns the hash of the document that is there; from then on the timeline is nothing without it. */
    private TimelineMetadata withBoundary(TimelineMetadata metadata, Path directory) throws IOException {
        if (metadata.saysBoundary()) {
            return metadata;
        }
        try {
            String hash = resources.boundaries().hashOf(metadata.id(), metadata.ancestor());
            if (hash == null) {
                return metadata;
            }
            TimelineMetadata complete = metadata.behind(hash);
            complete.store(directory);
            return complete;
        } catch (BoundaryException e) {
            // Said below, with the others.
            return metadata;
        }
    }

    /** Builds a timeline after its ancestors; a chain can be longer than the stack is deep. */
    private void build(TimelineMetadata metadata, Map<TimelineId, TimelineMetadata> found) {
        ArrayDeque<TimelineMetadata> chain = new ArrayDeque<>();
        TimelineMetadata at = metadata;
        while (!timelines.containsKey(at.id())) {
            chain.push(at);
            BranchPoint ancestor = at.ancestor();
            if (ancestor == null || timelines.containsKey(ancestor.timeline())) {
                break;
            }
            TimelineMetadata parent = found.get(ancestor.timeline());
            if (parent == null || chain.size() > found.size()) {
                refuse(at.id(), "it begins on " + ancestor.timeline() + ", which is not there");
                TimelineId refused = at.id();
                chain.removeIf(one -> one.id().equals(refused));
                break;
            }
            at = parent;
        }
        for (TimelineMetadata next : chain) {
            if (timelines.containsKey(next.id())) {
                // What begins on itself, round many corners, is met twice.
                continue;
            }
            BranchPoint ancestor = next.ancestor();
            Timeline parent = ancestor == null ? null : timeline(ancestor.timeline());
            timelines.put(
                    next.id(),
                    new Timeline(next, new TimelineLayout(root.resolve(next.id().value())), parent, resources));
            resources.retention().add(next.id(), ancestor);
        }
    }

    private void follow() {
        for (Timeline timeline : timelines.values()) {
            if (!closed && timeline.isFollowed()) {
                followOne(timeline);
            }
        }
        resources
                .backPressure()
                .indexes(timelines.values().stream()
                        .mapToLong(timeline -> timeline.history().journal().heapBytes())
                        .sum());
    }

    private void followOne(Timeline timeline) {
        try {
            timeline.follow();
            maintenance.consider(timeline);
            timeline.upkeep().notePressure();
            failing.remove(timeline.id());
        } catch (RuntimeException | StackOverflowError e) {
            // Whoever needs the timeline meets the same error; the others must go on being followed.
            if (!closed && timeline.isFollowed() && failing.add(timeline.id())) {
                LOG.warn("cannot follow timeline {}", timeline.id(), e);
            }
        }
    }
}
