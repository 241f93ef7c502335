package dev.coppice.storage.layer;

import dev.coppice.storage.layer.format.PathOrder;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Goes over the paths of a layer, skipping parts in which none begins. For one thread. */
final class PathWalk {
    private final PartDirectory directory;
    private final IntFunction<IndexPart> parts;
    private int part;
    private int file;

    PathWalk(PartDirectory directory, IntFunction<IndexPart> parts) {
        this.directory = directory;
        this.parts = parts;
    }

    /** The last parts of the paths that are directly in a directory; ascending. */
    Set<String> namesIn(String parent) {
        String prefix = parent.isEmpty() ? "" : parent + "/";
        Set<String> names = new TreeSet<>();
        byte[] path = firstAtOrAfter(PathOrder.bytes(prefix));
        while (path != null) {
            String text = new String(path, StandardCharsets.UTF_8);
            if (!text.startsWith(prefix)) {
                break;
            }
            int slash = text.indexOf('/', prefix.length());
            if (slash < 0) {
                if (text.length() > prefix.length()) {
                    names.add(text.substring(prefix.length()));
                }
                path = next();
            } else {
                // What is below a subdirectory is not in this one: go on behind it, '0' being what follows '/'.
                path = firstAtOrAfter(PathOrder.bytes(text.substring(0, slash) + "0"));
            }
        }
        return names;
    }

    private byte @Nullable [] firstAtOrAfter(byte[] path) {
        part = Math.max(0, directory.lastAtOrBefore(path, PartDirectory.START));
        int found = parts.apply(part).find(path);
        file = found >= 0 ? found : -found - 1;
        return current();
    }

    private byte @Nullable [] next() {
        file++;
        return current();
    }

    private byte @Nullable [] current() {
        while (part < directory.count()) {
            if (directory.starts(part) > 0) {
                IndexPart index = parts.apply(part);
                if (file == 0 && index.isFirstContinued()) {
                    file = 1;
                }
                if (file < index.count()) {
                    return index.path(file);
                }
            }
            part++;
            file = 0;
        }
        return null;
    }
}
