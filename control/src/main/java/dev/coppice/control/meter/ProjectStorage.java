package dev.coppice.control.meter;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.storage.PageService;
import dev.coppice.storage.fault.NoSuchTimelineException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What projects take on disk, for metering. A branch that cannot be measured, because its files are damaged, counts as it was
 * measured last; that is said once, until it can be again. Thread-safe.
 */
public final class ProjectStorage {
    private static final Logger log = LoggerFactory.getLogger(ProjectStorage.class);

    private final PageService pages;
    private final Map<String, Long> known = new ConcurrentHashMap<>();
    private final Set<String> failing = ConcurrentHashMap.newKeySet();

    public ProjectStorage(PageService pages) {
        this.pages = pages;
    }

    /** The bytes of branches together, measured now. */
    public long bytes(List<Branch> branches) {
        return branches.stream().mapToLong(this::bytes).sum();
    }

    private long bytes(Branch branch) {
        try {
            long bytes = pages.timeline(branch.timeline()).size().ownBytes();
            known.put(branch.id(), bytes);
            failing.remove(branch.id());
            return bytes;
        } catch (NoSuchTimelineException e) {
            known.remove(branch.id());
            failing.remove(branch.id());
            return 0;
        } catch (RuntimeException e) {
            if (failing.add(branch.id())) {
                log.warn("Branch {} cannot be measured; it counts as it did before", branch.id(), e);
            }
            return known.getOrDefault(branch.id(), 0L);
        }
    }
}
