package dev.coppice.masking.page;

import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.format.Varlena;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.RelationLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Reads the stored values of single rows, to show what masking does to them. Not thread-safe. */
public final class RowReader {
    private final RelationLayout layout;
    private final TupleWalk walk;

    public RowReader(RelationLayout layout) {
        this.layout = layout;
        this.walk = new TupleWalk(layout);
    }

    /**
     * The values of a row, by attnum - 1; fewer than the table has columns if later ones have their default.
     *
     * @param item the row's line pointer, from 1
     * @return empty if there is no row at this line pointer
     * @throws MalformedPageException if the page is not what the layout says
     */
    public Optional<List<RowCondition.Field>> read(byte[] page, int item) {
        if (HeapPage.isNew(page)) {
            return Optional.empty();
        }
        HeapPage heap = HeapPage.check(page);
        if (item < 1 || item > heap.items() || HeapFormat.state(heap.item(item)) != HeapFormat.NORMAL) {
            return Optional.empty();
        }
        walk.walk(page, HeapFormat.offset(heap.item(item)), HeapFormat.length(heap.item(item)));
        List<RowCondition.Field> fields = new ArrayList<>();
        for (int i = 0; i < walk.count(); i++) {
            fields.add(field(i));
        }
        return Optional.of(fields);
    }

    private RowCondition.Field field(int index) {
        Attribute attribute = layout.attributes().get(index);
        int start = walk.start(index);
        if (start == TupleWalk.NULL) {
            return RowCondition.Absent.NULL;
        }
        int size = walk.size(index);
        if (!attribute.isVarlena()) {
            return new RowCondition.Value(Arrays.copyOfRange(walk.page(), start, start + size));
        }
        if (Varlena.form(walk.page(), start) == Varlena.Form.EXTERNAL) {
            return RowCondition.Absent.UNREADABLE;
        }
        try {
            return new RowCondition.Value(Varlena.payload(walk.page(), start, size));
        } catch (MalformedValueException e) {
            throw new MalformedPageException(
                    "a value of " + attribute.name() + " cannot be read: " + e.getMessage(), e);
        }
    }
}
