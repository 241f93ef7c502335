package dev.coppice.proxy.http.request;

import io.netty.handler.codec.http.HttpHeaders;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Headers that a request has once: of two it would be open which counts, and whoever stands before us may take the other one. */
public final class SingleHeader {
    private SingleHeader() {}

    /**
     * Its value, null when it is not there.
     *
     * @throws BadRequestException when it is there more than once
     */
    public static @Nullable String get(HttpHeaders headers, String name) {
        List<String> values = headers.getAll(name);
        if (values.size() > 1) {
            throw new BadRequestException("the header " + name + " is there " + values.size() + " times");
        }
        return values.isEmpty() ? null : values.getFirst();
    }
}
