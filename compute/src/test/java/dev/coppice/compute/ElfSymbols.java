package dev.coppice.compute;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The functions that a 64-bit ELF file, little-endian, imports and exports by its dynamic symbols. */
final class ElfSymbols {
    private static final int DYNAMIC_SYMBOLS = 11;
    private static final int VERSION_OF_SYMBOLS = 0x6fff_ffff;
    private static final int NEEDED_VERSIONS = 0x6fff_fffe;
    private static final int SYMBOL_SIZE = 24;
    private static final int FUNCTION = 2;

    private final ByteBuffer file;
    private final Map<Integer, Section> sections = new HashMap<>();
    private final Map<Integer, Section> byNumber = new HashMap<>();
    private final Map<Integer, String> versions = new HashMap<>();

    private record Section(int offset, int size, int link, int info) {}

    ElfSymbols(byte[] content) {
        file = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        if (file.getInt(0) != 0x464c_457f) {
            throw new IllegalArgumentException("not an ELF file");
        }
        int table = (int) file.getLong(40);
        int entrySize = Short.toUnsignedInt(file.getShort(58));
        int count = Short.toUnsignedInt(file.getShort(60));
        for (int i = 0; i < count; i++) {
            int at = table + i * entrySize;
            Section section = new Section(
                    (int) file.getLong(at + 24),
                    (int) file.getLong(at + 32),
                    file.getInt(at + 40),
                    file.getInt(at + 44));
            sections.put(file.getInt(at + 4), section);
            byNumber.put(i, section);
        }
        readVersions();
    }

    /** Functions that a library of this family of versions has to have, {@code GLIBC_} for instance. */
    Set<String> imports(String versionPrefix) {
        return symbols(false, versionPrefix);
    }

    Set<String> exports() {
        return symbols(true, "");
    }

    private Set<String> symbols(boolean defined, String versionPrefix) {
        Section symbols = section(DYNAMIC_SYMBOLS);
        Section version = sections.get(VERSION_OF_SYMBOLS);
        Set<String> names = new TreeSet<>();
        for (int i = 0; i < symbols.size() / SYMBOL_SIZE; i++) {
            int at = symbols.offset() + i * SYMBOL_SIZE;
            boolean isFunction = (file.get(at + 4) & 0xf) == FUNCTION;
            boolean isDefined = file.getShort(at + 6) != 0;
            int number = version == null ? 0 : file.getShort(version.offset() + 2 * i) & 0x7fff;
            if (isFunction
                    && isDefined == defined
                    && versions.getOrDefault(number, "").startsWith(versionPrefix)) {
                names.add(text(symbols, file.getInt(at)));
            }
        }
        return names;
    }

    private void readVersions() {
        Section needed = sections.get(NEEDED_VERSIONS);
        if (needed == null) {
            return;
        }
        int at = needed.offset();
        for (int i = 0; i < needed.info(); i++) {
            int one = at + file.getInt(at + 8);
            for (int k = Short.toUnsignedInt(file.getShort(at + 2)); k > 0; k--) {
                versions.put(file.getShort(one + 6) & 0x7fff, text(needed, file.getInt(one + 8)));
                one += file.getInt(one + 12);
            }
            at += file.getInt(at + 12);
        }
    }

    private Section section(int type) {
        Section section = sections.get(type);
        if (section == null) {
            throw new IllegalArgumentException("no section of type " + type);
        }
        return section;
    }

    /** A text of the table that belongs to a section. */
    private String text(Section of, int at) {
        Section strings = byNumber.get(of.link());
        if (strings == null) {
            throw new IllegalArgumentException("a section without its texts");
        }
        int start = strings.offset() + at;
        int end = start;
        while (file.get(end) != 0) {
            end++;
        }
        byte[] bytes = new byte[end - start];
        file.get(start, bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
