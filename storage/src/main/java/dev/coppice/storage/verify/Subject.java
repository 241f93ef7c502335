package dev.coppice.storage.verify;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.layer.LayerCaches;
import dev.coppice.storage.layer.store.LayerStore;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.wal.LsnRange;
import dev.coppice.storage.wal.WalStore;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What there is to check of a timeline. Suppliers are asked when their step comes, and may throw what a read would.
 *
 * @param directory the timeline's own
 * @param ancestor where it begins
 * @param parentEnd to where the ancestor can be read; empty when it is not there
 * @param wal along the chain
 * @param end where the WAL must reach
 * @param neededWal ranges that somebody can ask for
 * @param still does something while no layer is being made or deleted
 */
public record Subject(
        TimelineId id,
        Path directory,
        Optional<BranchPoint> ancestor,
        Supplier<Optional<Lsn>> parentEnd,
        LayerStore layers,
        LayerCaches caches,
        OpenFiles files,
        WalStore wal,
        Supplier<Lsn> end,
        Supplier<List<LsnRange>> neededWal,
        Consumer<Runnable> still) {}
