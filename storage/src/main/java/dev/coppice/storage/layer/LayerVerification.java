package dev.coppice.storage.layer;

import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.layer.store.LayerDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/** Checks a whole layer. */
final class LayerVerification {
    private static final int CHUNK_BYTES = 1 << 20;

    private LayerVerification() {}

    static List<String> problemsOf(LayerReader layer, LayerBytesReader bytes) {
        List<String> problems = new ArrayList<>();
        attempt(problems, bytes::verifyHeader);
        attempt(problems, () -> wholeFile(layer.descriptor(), bytes));
        attempt(problems, () -> contents(layer, bytes, problems));
        return problems;
    }

    private static void attempt(List<String> problems, Runnable check) {
        try {
            check.run();
        } catch (StorageException e) {
            problems.add(e.getMessage());
        }
    }

    private static void wholeFile(LayerDescriptor descriptor, LayerBytesReader bytes) {
        CRC32C crc = new CRC32C();
        byte[] chunk = new byte[CHUNK_BYTES];
        long at = 0;
        int count;
        do {
            count = bytes.readUpTo(at, chunk);
            crc.update(chunk, 0, count);
            at += count;
        } while (count == chunk.length);
        if (at != descriptor.bytes()) {
            throw bytes.damaged(Math.min(at, descriptor.bytes()), "it has " + at + " bytes, not " + descriptor.bytes());
        }
        if ((int) crc.getValue() != descriptor.checksum()) {
            throw bytes.damaged(0, "the checksum of the whole file is not the manifest's");
        }
    }

    private static void contents(LayerReader layer, LayerBytesReader bytes, List<String> problems) {
        LayerDescriptor descriptor = layer.descriptor();
        LayerCursor cursor = layer.cursor();
        long pages = 0;
        String first = null;
        String last = "";
        while (cursor.nextFile()) {
            last = cursor.path();
            first = first == null ? last : first;
            for (FileEvent event : cursor.events()) {
                if (isOutside(descriptor, event.stamp(), event.sequence())) {
                    problems.add("layer " + layer + ": an event of \"" + last + "\" is outside of the layer's range");
                }
            }
            while (cursor.nextVersion()) {
                LayerBlock version = cursor.version();
                if (isOutside(descriptor, version.stamp(), version.sequence())) {
                    problems.add("layer " + layer + ": block " + cursor.block() + " of \"" + last
                            + "\" is outside of the layer's range");
                }
                if (!version.zero()) {
                    pages++;
                    attempt(problems, () -> cursor.page(version));
                }
            }
        }
        if (pages != descriptor.pages()
                || !descriptor.firstPath().equals(first)
                || !descriptor.lastPath().equals(last)) {
            throw bytes.damaged(
                    0,
                    "it has " + pages + " pages of the paths \"" + first + "\" to \"" + last
                            + "\", which is not what the manifest says");
        }
    }

    private static boolean isOutside(LayerDescriptor descriptor, long stamp, long sequence) {
        return Long.compareUnsigned(stamp, descriptor.minStamp()) < 0
                || Long.compareUnsigned(stamp, descriptor.maxStamp()) > 0
                || Long.compareUnsigned(sequence, descriptor.firstSequence()) < 0
                || Long.compareUnsigned(sequence, descriptor.lastSequence()) > 0;
    }
}
