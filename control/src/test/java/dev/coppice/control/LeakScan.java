package dev.coppice.control;

import dev.coppice.storage.Timeline;
import dev.coppice.storage.file.DirectoryEntry;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.file.PageConsumer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Looks for secrets in every byte that a timeline serves: all pages of all files as anybody could ask for them, asked for or not, and its
 * directory of WAL. As they are, and decompressed: wherever a compressed value could begin, it is decompressed as far as
 * that goes.
 */
final class LeakScan {
    private static final int PAGE = 8192;
    private static final int PIECE = 128;
    private static final int DECOMPRESSED_MOST = 400;

    private final Map<String, byte[]> secrets;
    private final Set<String> places = new TreeSet<>();
    private long bytes;

    /** @param secrets by a name to report them with */
    LeakScan(Map<String, byte[]> secrets) {
        this.secrets = secrets;
    }

    /** Where secrets were found: the name of the secret and of the file. */
    Set<String> places() {
        return places;
    }

    long bytes() {
        return bytes;
    }

    LeakScan over(Timeline timeline) throws IOException {
        directory(timeline, "");
        if (Files.isDirectory(timeline.layout().wal())) {
            try (Stream<Path> segments = Files.list(timeline.layout().wal())) {
                for (Path segment : (Iterable<Path>) segments::iterator) {
                    if (Files.isRegularFile(segment)) {
                        search("pg_wal/" + segment.getFileName(), Files.readAllBytes(segment), false);
                    }
                }
            }
        }
        return this;
    }

    private void directory(Timeline timeline, String directory) {
        for (DirectoryEntry entry : timeline.list(directory).orElse(List.of())) {
            String path = directory.isEmpty() ? entry.name() : directory + "/" + entry.name();
            search(path, path.getBytes(StandardCharsets.UTF_8), false);
            if (entry.kind() == FileKind.DIRECTORY) {
                directory(timeline, path);
            } else {
                file(timeline, path);
            }
        }
    }

    private void file(Timeline timeline, String path) {
        FileStatus status = timeline.stat(path);
        long blocks = (status.size() + PAGE - 1) / PAGE;
        for (long at = 0; at < blocks; at += PIECE) {
            int count = (int) Math.min(PIECE, blocks - at);
            byte[] piece = new byte[count * PAGE];
            long first = at;
            timeline.readPages(path, at, count, new PageConsumer() {
                @Override
                public void zero(long block) {}

                @Override
                public void page(long block, long stamp, ByteBuffer page) {
                    page.get(page.position(), piece, (int) (block - first) * PAGE, PAGE);
                }
            });
            search(path, piece, true);
        }
    }

    private void search(String place, byte[] content, boolean compressed) {
        bytes += content.length;
        find(place, content, content.length);
        if (!compressed) {
            return;
        }
        byte[] room = new byte[DECOMPRESSED_MOST];
        for (int at = 0; at + 16 < content.length; at += 4) {
            // A compressed value in a row, or the first chunk of one in a TOAST table: a size that is possible comes
            // first.
            int info = (content[at] & 0xFF) | ((content[at + 1] & 0xFF) << 8) | ((content[at + 2] & 0xFF) << 16);
            if (info < 32 || (content[at + 3] & 0x3F) != 0) {
                continue;
            }
            find(place + " (pglz)", room, pglz(content, at + 4, room));
            find(place + " (lz4)", room, lz4(content, at + 4, room));
        }
    }

    private void find(String place, byte[] content, int length) {
        secrets.forEach((name, secret) -> {
            for (int at = 0; at + secret.length <= length; at++) {
                if (content[at] == secret[0]
                        && Arrays.equals(content, at, at + secret.length, secret, 0, secret.length)) {
                    places.add(name + " in " + place);
                    return;
                }
            }
        });
    }

    /** Decompresses until something is wrong; answers how much that gave. */
    private static int pglz(byte[] from, int start, byte[] to) {
        int at = start;
        int out = 0;
        while (at < from.length && out < to.length) {
            int control = from[at++];
            for (int bit = 0; bit < 8 && at < from.length && out < to.length; bit++) {
                if (((control >> bit) & 1) == 0) {
                    to[out++] = from[at++];
                    continue;
                }
                if (at + 2 >= from.length) {
                    return out;
                }
                int length = (from[at] & 0x0F) + 3;
                int back = ((from[at] & 0xF0) << 4) | (from[at + 1] & 0xFF);
                at += 2;
                if (length == 18) {
                    length += from[at++] & 0xFF;
                }
                if (back == 0 || back > out) {
                    return out;
                }
                for (int i = 0; i < length && out < to.length; i++, out++) {
                    to[out] = to[out - back];
                }
            }
        }
        return out;
    }

    private static int lz4(byte[] from, int start, byte[] to) {
        int at = start;
        int out = 0;
        while (at < from.length && out < to.length) {
            int token = from[at++] & 0xFF;
            int literals = token >> 4;
            while (literals >= 15 && at < from.length && (literals - 15) % 255 == 0) {
                int more = from[at++] & 0xFF;
                literals += more;
                if (more != 255) {
                    break;
                }
            }
            for (int i = 0; i < literals && at < from.length && out < to.length; i++) {
                to[out++] = from[at++];
            }
            if (at + 2 > from.length) {
                return out;
            }
            int back = (from[at] & 0xFF) | ((from[at + 1] & 0xFF) << 8);
            at += 2;
            int length = (token & 15) + 4;
            if (length == 19) {
                int more = 255;
                while (more == 255 && at < from.length) {
                    more = from[at++] & 0xFF;
                    length += more;
                }
            }
            if (back == 0 || back > out) {
                return out;
            }
            for (int i = 0; i < length && out < to.length; i++, out++) {
                to[out] = to[out - back];
            }
        }
        return out;
    }
}
