package dev.coppice.control.timeline;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeException;
import dev.coppice.compute.ComputeService;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.rows.HiddenTimelineRows;
import dev.coppice.storage.PageService;
import dev.coppice.storage.fault.StorageException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The timelines that belong to no branch, and their end. Every one is in the catalog before it is in storage or, for a
 * retired one, in the transaction that takes it from its branch: so a restart finds all of them.
 */
public final class HiddenTimelines {
    private static final Logger log = LoggerFactory.getLogger(HiddenTimelines.class);

    private final Catalog catalog;
    private final PageService pages;
    private final ComputeService computes;
    private final ActivityMonitor monitor;

    /** Timelines of moments that are being made or looked at; a sweep leaves them alone. */
    private final Set<String> inUse = ConcurrentHashMap.newKeySet();

    private final ReentrantLock sweeping = new ReentrantLock();

    public HiddenTimelines(Catalog catalog, PageService pages, ComputeService computes, ActivityMonitor monitor) {
        this.catalog = catalog;
        this.pages = pages;
        this.computes = computes;
        this.monitor = monitor;
    }

    public List<HiddenTimeline> all() {
        return catalog.transaction(HiddenTimelineRows::all);
    }

    /** Notes a timeline that is about to be made; it stays until {@link #letGo}. */
    public void keep(HiddenTimeline moment) {
        inUse.add(moment.timelineId());
        try {
            catalog.transaction(connection -> {
                HiddenTimelineRows.insert(connection, moment);
                return Boolean.TRUE;
            });
        } catch (RuntimeException e) {
            inUse.remove(moment.timelineId());
            throw e;
        }
    }

    /** Nobody uses the moment any more: its compute and its timeline go, now or, when that fails, at the next sweep. */
    public void letGo(HiddenTimeline moment) {
        inUse.remove(moment.timelineId());
        sweep();
    }

    /** Removes every hidden timeline that nothing needs; what cannot be removed now stays for the next time. */
    public void sweep() {
        sweeping.lock();
        try {
            boolean progress = true;
            while (progress) {
                progress = false;
                for (HiddenTimeline hidden : all()) {
                    boolean needed =
                            hidden.kind() == HiddenTimeline.Kind.SNAPSHOT || inUse.contains(hidden.timelineId());
                    progress |= !needed && remove(hidden);
                }
            }
        } catch (RuntimeException e) {
            log.warn("Timelines that nobody needs could not be removed now; it is tried again later", e);
        } finally {
            sweeping.unlock();
        }
    }

    /** Answers whether it is gone. */
    private boolean remove(HiddenTimeline hidden) {
        TimelineId id = new TimelineId(hidden.timelineId());
        try {
            if (pages.exists(id) && !pages.children(id).isEmpty()) {
                return false;
            }
            String endpointId = hidden.endpointId();
            if (endpointId != null) {
                monitor.suspend(endpointId);
                computes.forget(endpointId);
            }
            if (pages.exists(id)) {
                pages.delete(id);
            }
        } catch (StorageException | ComputeException e) {
            log.warn("Timeline {} could not be removed now; it is tried again later", id, e);
            return false;
        }
        catalog.transaction(connection -> {
            HiddenTimelineRows.delete(connection, hidden.timelineId());
            return Boolean.TRUE;
        });
        return true;
    }
}
