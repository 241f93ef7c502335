package dev.coppice.storage.layer;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.index.FileEventKind;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.layer.format.FrameCodec;
import dev.coppice.storage.layer.format.PathOrder;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerKind;
import dev.coppice.storage.layer.store.LayerStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.NullUnmarked;

/** A random history of a timeline, what it means by naive replay, and how a flush writes it to a layer. */
@NullUnmarked
final class RandomHistory {
    static final int BLOCK = 8192;
    static final long HEAD = -1L;
    static final List<String> PATHS = List.of(
            "base/5/1",
            "base/5/1_fsm",
            "base/5/16384",
            "base/5/16384.1",
            "base/5",
            "base",
            "global/pg_control",
            "pg_xact/0000",
            "PG_VERSION",
            "base/5-x",
            "base/50/1");
    static final long MOST_BLOCKS = 9;

    enum Kind {
        PAGE,
        ZERO,
        EXTEND,
        TRUNCATE,
        CREATE,
        UNLINK,
        PUT,
        MKDIR,
        RMDIR
    }

    /** @param bytes of data (PAGE, PUT), of the new size (EXTEND, TRUNCATE), or zeroed (ZERO) */
    record Op(Kind kind, String path, long block, long bytes, long stamp, long sequence) {}

    /** What a file is without a parent's help; block content is the sequence of its PAGE or PUT, 0 for zero. */
    static final class State {
        boolean known;
        boolean exists;
        boolean cut;
        long size;
        long zeroFrom = Long.MAX_VALUE;
        final Map<Long, Long> blocks = new HashMap<>();
        boolean directoryKnown;
        boolean directory;

        void grow(long to) {
            known = true;
            size = exists || !cut ? Math.max(size, to) : to;
            exists = true;
        }

        void cut(long from, long newSize, boolean there) {
            known = true;
            cut = true;
            exists = there;
            size = newSize;
            zeroFrom = Math.min(zeroFrom, from);
            blocks.keySet().removeIf(block -> block * BLOCK >= from);
        }

        /** null = as below. */
        Long block(long block) {
            Long explicit = blocks.get(block);
            return explicit != null ? explicit : block * BLOCK >= zeroFrom ? Long.valueOf(0) : null;
        }
    }

    final List<Op> ops = new ArrayList<>();
    private final Random random;
    private long stamp = 100;
    private long sequence = 1L << 44;

    RandomHistory(Random random) {
        this.random = random;
    }

    long highestStamp() {
        return stamp;
    }

    /** Adds what a compute may have done between two flushes. */
    List<Op> more(int count) {
        int first = ops.size();
        for (int i = 0; i < count; i++) {
            stamp += random.nextInt(3);
            sequence += 40 + random.nextInt(9000);
            if (random.nextInt(200) == 0) {
                sequence = ((sequence >>> 44) + 1) << 44;
            }
            ops.add(random(PATHS.get(random.nextInt(PATHS.size())), Math.max(100, stamp - random.nextInt(6))));
        }
        return List.copyOf(ops.subList(first, ops.size()));
    }

    private Op random(String path, long at) {
        long block = random.nextLong(MOST_BLOCKS);
        int what = random.nextInt(100);
        if (what < 50) {
            int bytes = random.nextInt(5) == 0 ? 1 + random.nextInt(BLOCK) : BLOCK;
            return new Op(Kind.PAGE, path, block, bytes, at, sequence);
        } else if (what < 58) {
            return new Op(Kind.ZERO, path, block, random.nextInt(1, 4) * (long) BLOCK, at, sequence);
        } else if (what < 66) {
            return new Op(Kind.EXTEND, path, 0, block * BLOCK + random.nextInt(BLOCK), at, sequence);
        } else if (what < 74) {
            return new Op(Kind.TRUNCATE, path, 0, random.nextInt(5) * (long) BLOCK, at, sequence);
        } else if (what < 78) {
            return new Op(Kind.CREATE, path, 0, 0, at, sequence);
        } else if (what < 83) {
            return new Op(Kind.UNLINK, path, 0, 0, at, sequence);
        } else if (what < 90) {
            return new Op(Kind.PUT, path, 0, random.nextInt(3 * BLOCK), at, sequence);
        } else if (what < 95) {
            return new Op(Kind.MKDIR, path, 0, 0, at, sequence);
        }
        return new Op(Kind.RMDIR, path, 0, 0, at, sequence);
    }

    /** The meaning of one path at an LSN. */
    State at(String path, long lsn) {
        State state = new State();
        for (Op op : ops) {
            if (op.path.equals(path) && (lsn == HEAD || op.stamp <= lsn)) {
                apply(state, op);
            }
        }
        return state;
    }

    private static void apply(State state, Op op) {
        switch (op.kind) {
            case PAGE -> {
                state.grow(op.block * BLOCK + op.bytes);
                state.blocks.put(op.block, op.sequence);
            }
            case ZERO -> {
                state.grow(op.block * BLOCK + op.bytes);
                for (long b = op.block; b < op.block + op.bytes / BLOCK; b++) {
                    state.blocks.put(b, 0L);
                }
            }
            case EXTEND -> state.grow(op.bytes);
            case TRUNCATE -> state.cut(op.bytes, op.bytes, true);
            case CREATE -> state.cut(0, 0, true);
            case UNLINK -> state.cut(0, 0, false);
            case PUT -> {
                state.cut(0, op.bytes, true);
                for (long b = 0; b * BLOCK < op.bytes; b++) {
                    state.blocks.put(b, op.sequence);
                }
            }
            case MKDIR, RMDIR -> {
                state.directoryKnown = true;
                state.directory = op.kind == Kind.MKDIR;
            }
        }
    }

    Set<String> namesIn(String directory) {
        Set<String> names = new TreeSet<>();
        String prefix = directory.isEmpty() ? "" : directory + "/";
        for (Op op : ops) {
            if (op.path.startsWith(prefix) && op.path.indexOf('/', prefix.length()) < 0) {
                names.add(op.path.substring(prefix.length()));
            }
        }
        return names;
    }

    /** The 8,192 bytes that a PAGE or PUT of this sequence wrote to a block. */
    static byte[] content(long sequence, long block, long bytes) {
        byte[] page = new byte[BLOCK];
        Random random = new Random(sequence * 31 + block);
        int noise = random.nextInt(4) == 0 ? BLOCK : random.nextInt(400);
        byte[] start = new byte[noise];
        random.nextBytes(start);
        System.arraycopy(start, 0, page, 0, noise);
        page[BLOCK - 1] = 1;
        for (int i = (int) Math.min(bytes, BLOCK); i < BLOCK; i++) {
            page[i] = 0;
        }
        return page;
    }

    /** Bytes of data of a sequence's op in a block. */
    long bytesOf(long sequence, long block) {
        Op op = ops.stream().filter(o -> o.sequence == sequence).findFirst().orElseThrow();
        return op.kind == Kind.PUT ? op.bytes - block * BLOCK : op.bytes;
    }

    /** Writes a layer as a flush does. */
    static List<LayerDescriptor> write(
            List<Op> ops, LayerStore store, TimelineId timeline, FileWrites writes, long rollOverBytes) {
        TreeMap<String, List<Op>> byPath = new TreeMap<>(PathOrder.COMPARATOR);
        ops.forEach(op ->
                byPath.computeIfAbsent(op.path, ignored -> new ArrayList<>()).add(op));
        long first = ops.getFirst().sequence;
        long last = ops.getLast().sequence;
        FrameCodec codec = first % 2 == 0 ? FrameCodec.LZ4 : FrameCodec.ZSTD;
        try (LayerWriter writer =
                new LayerWriter(store, timeline, LayerKind.DELTA, first, last, writes, codec, rollOverBytes)) {
            byPath.forEach((path, all) -> {
                writer.beginFile(path);
                all.forEach(op -> writeEvent(writer, op));
                List<Op> versions = new ArrayList<>();
                all.forEach(op -> spread(op, versions));
                versions.sort(Comparator.comparingLong(Op::block).thenComparingLong(Op::sequence));
                versions.forEach(op -> writeVersion(writer, op));
            });
            return writer.finish();
        }
    }

    private static void writeEvent(LayerWriter writer, Op op) {
        FileEventKind kind = switch (op.kind) {
            case PAGE, ZERO, EXTEND -> FileEventKind.GROWTH;
            case TRUNCATE -> FileEventKind.TRUNCATE;
            case CREATE -> FileEventKind.CREATE;
            case UNLINK -> FileEventKind.UNLINK;
            case PUT -> FileEventKind.PUT;
            case MKDIR -> FileEventKind.MKDIR;
            case RMDIR -> FileEventKind.RMDIR;
        };
        long start = op.kind == Kind.PAGE || op.kind == Kind.ZERO ? op.block * BLOCK : 0;
        writer.event(kind, op.stamp, op.sequence, start + op.bytes);
    }

    /** One op for each block of it. */
    private static void spread(Op op, List<Op> into) {
        if (op.kind == Kind.PAGE) {
            into.add(op);
        } else if (op.kind == Kind.ZERO) {
            for (long b = 0; b < op.bytes / BLOCK; b++) {
                into.add(new Op(Kind.ZERO, op.path, op.block + b, 0, op.stamp, op.sequence));
            }
        } else if (op.kind == Kind.PUT) {
            for (long b = 0; b * BLOCK < op.bytes; b++) {
                into.add(new Op(Kind.PUT, op.path, b, op.bytes - b * BLOCK, op.stamp, op.sequence));
            }
        }
    }

    private static void writeVersion(LayerWriter writer, Op op) {
        if (op.kind == Kind.ZERO) {
            writer.zero(op.block, op.stamp, op.sequence);
        } else {
            byte[] page = content(op.sequence, op.block, op.bytes);
            writer.page(op.block, op.stamp, op.sequence, ByteBuffer.wrap(page, 0, (int) Math.min(op.bytes, BLOCK)));
        }
    }
}
