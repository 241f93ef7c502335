package dev.coppice.control.masking;

import dev.coppice.masking.MaskingException;
import dev.coppice.masking.layout.RelationLayout;
import dev.coppice.masking.page.PointerCensus;
import dev.coppice.masking.page.TransactionStatus;
import dev.coppice.storage.boundary.Boundary;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.file.PageConsumer;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Which values of a TOAST table belong to columns that are shown. It reads the whole table, when a chunk is first asked for: what
 * a chunk belongs to is known from the table's pointers only. Thread-safe.
 */
final class ShownValues {
    private static final int PAGE_SIZE = 8192;
    private static final int PAGES_AT_ONCE = 128;

    private final RelationLayout layout;
    private final Set<Integer> masked;
    private final String path;
    private final Boundary.ParentFiles files;
    private final TransactionStatus transactions;
    private final ReentrantLock counting = new ReentrantLock();
    private volatile @Nullable IntPredicate known;

    ShownValues(
            RelationLayout layout,
            Set<Integer> masked,
            String path,
            Boundary.ParentFiles files,
            TransactionStatus transactions) {
        this.layout = layout;
        this.masked = masked;
        this.path = path;
        this.files = files;
        this.transactions = transactions;
    }

    IntPredicate get() {
        IntPredicate counted = known;
        if (counted != null) {
            return counted;
        }
        counting.lock();
        try {
            counted = known;
            if (counted == null) {
                counted = count();
                known = counted;
            }
            return counted;
        } catch (MaskingException e) {
            throw new StorageException(layout.qualifiedName() + " cannot be searched for its values out of line", e);
        } finally {
            counting.unlock();
        }
    }

    private IntPredicate count() {
        PointerCensus census = new PointerCensus(layout, masked, transactions);
        PageConsumer counter = new PageConsumer() {
            @Override
            public void zero(long block) {
                // Nothing points out of it.
            }

            @Override
            public void page(long block, long stamp, ByteBuffer content) {
                byte[] page = new byte[PAGE_SIZE];
                content.get(content.position(), page);
                census.page(page);
            }
        };
        for (int segment = 0; ; segment++) {
            String file = segment == 0 ? path : path + "." + segment;
            FileStatus status = files.stat(file);
            if (status.kind() != FileKind.FILE) {
                return census.shown();
            }
            long blocks = (status.size() + PAGE_SIZE - 1) / PAGE_SIZE;
            for (long at = 0; at < blocks; at += PAGES_AT_ONCE) {
                int count = (int) Math.min(PAGES_AT_ONCE, blocks - at);
                if (!files.readPages(file, at, count, counter)) {
                    throw new StorageException(file + " was there a moment ago");
                }
            }
        }
    }
}
