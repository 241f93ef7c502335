package dev.coppice.storage.history;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.NoSuchTimelineException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.index.Damage;
import dev.coppice.storage.index.IndexedJournal;
import dev.coppice.storage.index.JournalPosition;
import dev.coppice.storage.index.JournalTail;
import dev.coppice.storage.layer.LayerReader;
import dev.coppice.storage.layer.store.FlushedPosition;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerStore;
import dev.coppice.storage.layer.store.Manifest;
import dev.coppice.storage.layer.store.ManifestCodec;
import dev.coppice.storage.layer.store.ManifestConflictException;
import dev.coppice.storage.wal.Moments;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * All that one timeline itself wrote: its layers, and the tail of its journal that is in none yet. Thread-safe.
 *
 * <p>The manifest says what is in layers. It is read at the first use, and replaced by one writer: whoever finds that
 * another replaced it stops for good.
 */
public final class TimelineHistory {
    private final TimelineId id;
    private final StorageResources resources;
    private final IndexedJournal journal;

    /** Null when the manifest was not read yet. Replaced under {@code this}. */
    private volatile @Nullable LayerSet layers;

    private final AtomicLong generation = new AtomicLong();

    /** What a collection decided, before the manifest says so; compared unsigned. */
    private volatile long advancedHorizon;

    private volatile boolean closed;

    /** Another writer owns the timeline. */
    private volatile @Nullable ManifestConflictException lost;

    /** Null when the manifest was not read yet. Replaced under {@code this}. */
    private volatile @Nullable Moments moments;

    public TimelineHistory(TimelineId id, Path journalDirectory, StorageResources resources) {
        this.id = id;
        this.resources = resources;
        this.journal = new IndexedJournal(journalDirectory, id, resources.files(), this::flushedPosition);
    }

    public TimelineId id() {
        return id;
    }

    public StorageResources resources() {
        return resources;
    }

    public IndexedJournal journal() {
        return journal;
    }

    /** Asks the journal's tail. Ask before {@link #layers}: what moves from one to the other must be seen at least once. */
    public <T> T askTail(Function<JournalTail, T> question) {
        return journal.ask(question);
    }

    public LayerSet layers() {
        LayerSet known = layers;
        return known != null ? known : load();
    }

    /** Changes before anything that was readable is removed. */
    public long generation() {
        return journal.generation() + generation.get();
    }

    private synchronized LayerSet load() {
        LayerSet known = layers;
        if (known != null) {
            return known;
        }
        LayerStore store = resources.layers();
        LayerSet loaded = store.manifest(id)
                .map(stored -> LayerSet.of(decode(stored), LayerSet.NONE, store, id, resources.caches()))
                .orElse(LayerSet.NONE);
        layers = loaded;
        return loaded;
    }

    private Manifest decode(LayerStore.StoredManifest stored) {
        String source = "manifest " + stored.version() + " of timeline " + id;
        Manifest manifest = ManifestCodec.decode(stored.content(), source);
        if (manifest.version() != stored.version() || !manifest.timeline().equals(id)) {
            throw new StorageException(
                    source + " says that it is version " + manifest.version() + " of timeline " + manifest.timeline());
        }
        return manifest;
    }

    private JournalPosition flushedPosition() {
        Manifest manifest = layers().manifest();
        if (manifest == null) {
            return JournalPosition.START;
        }
        FlushedPosition flushed = manifest.flushed();
        return new JournalPosition(
                flushed.epoch(), flushed.offset(), flushed.stamp().value());
    }

    /** How far the journal is in layers. */
    public JournalPosition flushed() {
        return flushedPosition();
    }

    /** Where the timeline's own history begins, as far as the manifest says; empty before the first flush. */
    public OptionalLong storedOldest() {
        Manifest manifest = layers().manifest();
        return manifest == null
                ? OptionalLong.empty()
                : OptionalLong.of(manifest.oldest().value());
    }

    /** What of {@link #horizon} is durable: only what lies below it may be removed. */
    public Lsn storedHorizon() {
        Manifest manifest = layers().manifest();
        return manifest == null ? Lsn.ZERO : manifest.horizon();
    }

    /** From where on every point can be read; 0 when nothing was collected. Compared unsigned. */
    public long horizon() {
        long stored = storedHorizon().value();
        return Long.compareUnsigned(stored, advancedHorizon) < 0 ? advancedHorizon : stored;
    }

    /** Refuses what lies below from now on. The caller holds the lock of the retention. */
    public void advanceHorizon(long to) {
        advancedHorizon = to;
    }

    /** Known times and where the WAL ended then. */
    public Moments moments() {
        Moments known = moments;
        return known != null ? known : loadMoments();
    }

    private synchronized Moments loadMoments() {
        Moments known = moments;
        if (known == null) {
            Manifest manifest = layers().manifest();
            known = manifest == null ? Moments.EMPTY : Moments.of(manifest.moments());
            moments = known;
        }
        return known;
    }

    /**
     * Notes that the WAL ended at {@code lsn} at some time before {@code now}; kept in memory until the next manifest.
     */
    public synchronized void addMoment(Instant now, Lsn lsn) {
        moments = moments().with(now, lsn);
    }

    /** What one replacement of the manifest changes. */
    public record Change(JournalPosition flushed, List<LayerDescriptor> layers, long horizon, List<Damage> damage) {}

    /**
     * Replaces the manifest, durably, and makes its layers visible. Layers that are gone from it may be deleted after.
     *
     * @param oldest where the timeline's own history begins
     * @param change from the present state to the next
     * @throws ManifestConflictException when another process writes this timeline; nothing may be written any more
     */
    public synchronized void replaceManifest(Lsn oldest, UnaryOperator<Change> change) {
        refuseWhenLost();
        LayerSet before = layers();
        Change next = change.apply(new Change(flushedPosition(), before.descriptors(), horizon(), before.damage()));
        Moments kept = moments().from(new Lsn(next.horizon()));
        Manifest manifest = new Manifest(
                id,
                before.version() + 1,
                new FlushedPosition(
                        next.flushed().epoch(),
                        next.flushed().offset(),
                        new Lsn(next.flushed().stamp())),
                oldest,
                new Lsn(next.horizon()),
                next.layers(),
                kept.list(),
                next.damage());
        try {
            resources.layers().putManifest(id, before.version(), ManifestCodec.encode(manifest));
        } catch (ManifestConflictException e) {
            lost = e;
            throw e;
        } catch (StorageException e) {
            // It may be there all the same: only the store knows.
            layers = null;
            generation.incrementAndGet();
            throw e;
        }
        layers = LayerSet.of(manifest, before, resources.layers(), id, resources.caches());
        moments = kept;
        generation.incrementAndGet();
    }

    /** Refuses writers from now on: the timeline is being deleted. */
    public void close() {
        closed = true;
    }

    public boolean isClosed() {
        return closed;
    }

    /** Throws when nothing may be written: another process owns the timeline, or it is being deleted. */
    public void refuseWhenLost() {
        if (closed) {
            throw new NoSuchTimelineException(id);
        }
        ManifestConflictException conflict = lost;
        if (conflict != null) {
            throw conflict;
        }
    }

    /** Lets go of index and layers when nobody used them since the last call. */
    public void unloadIfIdle() {
        journal.unloadIfIdle();
        synchronized (this) {
            if (layers != null && !journal.isLoaded() && moments().list().size() == storedMoments()) {
                layers = null;
                moments = null;
            }
        }
    }

    private int storedMoments() {
        Manifest manifest = layers().manifest();
        return manifest == null ? 0 : manifest.moments().size();
    }

    /** The layers that a read may have to look into, one run counted once. */
    public int readAmplification() {
        return LayerRun.of(layers().descriptors()).size();
    }

    /** Readers of some layers, in the order of the manifest. */
    public List<LayerReader> readers(List<LayerDescriptor> wanted) {
        return layers().newestFirst().reversed().stream()
                .filter(reader -> wanted.contains(reader.descriptor()))
                .toList();
    }
}
