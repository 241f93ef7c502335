package dev.coppice.masking.format;

/** The data checksum of a page (checksum_impl.h, unchanged from 14 to 18). */
public final class PageChecksum {
    private static final int PAGE_SIZE = 8192;
    private static final int CHECKSUM_AT = 8;
    private static final int PRIME = 16777619;
    private static final int[] OFFSETS = {
        0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C, 0xF8D4474F,
                0xE39EB970,
        0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB, 0xE58F764B, 0x187636BC, 0x5D7B3BB1,
                0xE73DE7DE,
        0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4, 0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76,
                0x15CA20BE,
        0xF2CA9FD3, 0x959BD756
    };

    private PageChecksum() {}

    /**
     * The checksum of a page, whatever its checksum field says.
     *
     * @param block the block number in the relation's fork, not in its 1 GB segment
     */
    public static int of(byte[] page, long block) {
        int lanes = OFFSETS.length;
        int[] sums = OFFSETS.clone();
        for (int row = 0; row < PAGE_SIZE / 4 / lanes; row++) {
            for (int lane = 0; lane < lanes; lane++) {
                int at = (row * lanes + lane) * 4;
                int word = LittleEndian.i32(page, at);
                sums[lane] = step(sums[lane], at == CHECKSUM_AT ? word & 0xFFFF_0000 : word);
            }
        }
        int result = 0;
        for (int lane = 0; lane < lanes; lane++) {
            result ^= step(step(sums[lane], 0), 0);
        }
        return Integer.remainderUnsigned(result ^ (int) block, 65535) + 1;
    }

    private static int step(int sum, int word) {
        int mixed = sum ^ word;
        return mixed * PRIME ^ mixed >>> 17;
    }

    /** Writes the checksum into the page. */
    public static void set(byte[] page, long block) {
        LittleEndian.put16(page, CHECKSUM_AT, of(page, block));
    }
}
