package dev.coppice.control.branch;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchNotes;
import dev.coppice.control.catalog.rows.AnnotationRows;
import dev.coppice.control.error.ControlException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What clients note about branches: names and texts that Coppice keeps and does not read. */
public final class Annotations {
    private static final int ENTRIES_MAX = 50;
    private static final int TEXT_MAX_CHARACTERS = 1_024;

    private final Catalog catalog;
    private final Clock clock;

    public Annotations(Catalog catalog, Clock clock) {
        this.catalog = catalog;
        this.clock = clock;
    }

    /** From memory: listing branches must not wait for the catalog. */
    public Optional<BranchNotes> of(String branchId) {
        return catalog.inventory().annotation(branchId);
    }

    /**
     * Checks what is to be noted.
     *
     * @throws ControlException INVALID above 50 entries of 1,024 characters
     */
    public static Map<String, String> checked(@Nullable Map<String, @Nullable String> value) {
        Map<String, String> notes = new HashMap<>();
        if (value == null) {
            return notes;
        }
        value.forEach((name, text) -> {
            if (text == null || text.length() > TEXT_MAX_CHARACTERS || name.length() > TEXT_MAX_CHARACTERS) {
                throw ControlException.invalid("annotation_value: names and values are texts of at most "
                        + TEXT_MAX_CHARACTERS + " characters");
            }
            notes.put(name, text);
        });
        if (notes.size() > ENTRIES_MAX) {
            throw ControlException.invalid("annotation_value: has more than " + ENTRIES_MAX + " entries");
        }
        return notes;
    }

    /** Notes it; nothing when there is nothing to be noted. */
    public void put(Branch branch, Map<String, String> notes) {
        if (notes.isEmpty()) {
            return;
        }
        Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
        BranchNotes annotation = new BranchNotes(branch.id(), Map.copyOf(notes), now, now);
        catalog.change(
                branch.projectId(),
                connection -> AnnotationRows.put(connection, annotation),
                image -> image.put(annotation));
    }
}
