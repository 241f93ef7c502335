package dev.coppice.masking.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PermutationTest {
    private static final MaskKey KEY = key("0123456789abcdef0123456789abcdef");

    private final PseudoRandom random = new PseudoRandom(KEY);

    private static MaskKey key(String secret) {
        return new MaskKey("test", secret.getBytes(StandardCharsets.US_ASCII));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 9, 10, 26, 1000, 1024, 1025, 1026, 4099, 90_000, 262_144, 999_983})
    void numbers_of_any_count_are_permuted(long size) {
        BitSet seen = new BitSet();
        int kept = 0;
        for (long value = 0; value < size; value++) {
            long permuted = NumberPermutation.permute(random, 42, size, value);
            assertThat(permuted).isBetween(0L, size - 1);
            seen.set((int) permuted);
            kept += permuted == value ? 1 : 0;
        }
        assertThat(seen.cardinality()).isEqualTo((int) size);
        // A random permutation keeps one number in place, on average.
        assertThat(kept).isLessThan(12);
    }

    @Test
    void the_largest_domains_work() {
        Set<Long> seen = new HashSet<>();
        for (long value = 0; value < 1000; value++) {
            long permuted = NumberPermutation.permute(random, 42, Long.MAX_VALUE, Long.MAX_VALUE - 1 - value);
            assertThat(permuted).isNotNegative();
            seen.add(permuted);
        }
        assertThat(seen).hasSize(1000);
        assertThatThrownBy(() -> NumberPermutation.permute(random, 42, 5, 5))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void strings_of_symbols_are_permuted_whatever_their_radixes() {
        int[][] shapes = {
            {10, 10, 10},
            {26, 10, 26, 1, 5},
            {9, 10, 10, 10, 9},
            {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2},
            {20992},
            {64, 300}
        };
        for (int[] radixes : shapes) {
            int size = Arrays.stream(radixes).reduce(1, (a, b) -> a * b);
            Set<String> seen = new HashSet<>();
            for (int n = 0; n < size; n++) {
                int[] symbols = new int[radixes.length];
                for (int i = 0, rest = n; i < radixes.length; rest /= radixes[i++]) {
                    symbols[i] = rest % radixes[i];
                }
                SymbolPermutation.permute(random, 7, symbols, radixes);
                for (int i = 0; i < radixes.length; i++) {
                    assertThat(symbols[i]).isBetween(0, radixes[i] - 1);
                }
                seen.add(Arrays.toString(symbols));
            }
            assertThat(seen).hasSize(size);
        }
    }

    /** The network for strings that no long can count, on a space that is small enough to see all of. */
    @Test
    void long_strings_stay_distinct_and_every_symbol_depends_on_every_other() {
        int[] radixes = new int[40];
        Arrays.fill(radixes, 26);
        Set<String> seen = new HashSet<>();
        int[] base = new int[40];
        SymbolPermutation.permute(random, 7, base, radixes);
        for (int i = 0; i < 40; i++) {
            for (int symbol = 1; symbol < 26; symbol++) {
                int[] symbols = new int[40];
                symbols[i] = symbol;
                SymbolPermutation.permute(random, 7, symbols, radixes);
                seen.add(Arrays.toString(symbols));
                int same = 0;
                for (int j = 0; j < 40; j++) {
                    same += symbols[j] == base[j] ? 1 : 0;
                }
                assertThat(same).isLessThan(15);
            }
        }
        assertThat(seen).hasSize(40 * 25);
    }

    @Test
    void labels_keys_and_shapes_give_other_permutations() {
        long one = NumberPermutation.permute(random, 1, 1_000_000_007, 12345);
        assertThat(NumberPermutation.permute(random, 2, 1_000_000_007, 12345)).isNotEqualTo(one);
        assertThat(NumberPermutation.permute(random, 1, 1_000_000_009, 12345)).isNotEqualTo(one);
        PseudoRandom other = new PseudoRandom(key("another 32 bytes of secret key!!"));
        assertThat(NumberPermutation.permute(other, 1, 1_000_000_007, 12345)).isNotEqualTo(one);
        assertThat(NumberPermutation.permute(new PseudoRandom(KEY), 1, 1_000_000_007, 12345))
                .isEqualTo(one);
    }

    /** Frozen: masked values must stay what they are as long as a branch lives. */
    @Test
    void results_are_the_same_for_ever() {
        assertThat(NumberPermutation.permute(random, 1, 1_000_000_007, 12345)).isEqualTo(279189534);
        assertThat(NumberPermutation.permute(random, 1, 1000, 123)).isEqualTo(766);
        int[] symbols = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
        int[] radixes = new int[20];
        Arrays.fill(radixes, 26);
        SymbolPermutation.permute(random, 1, symbols, radixes);
        assertThat(symbols).containsExactly(23, 25, 15, 21, 6, 9, 18, 6, 6, 6, 22, 14, 23, 12, 19, 5, 13, 23, 13, 4);
        RandomStream stream = random.stream(5, new byte[] {1, 2, 3});
        assertThat(new long[] {stream.nextLong(), stream.nextLong(), stream.nextLong()})
                .containsExactly(-8456600192856520248L, -364214082229161218L, -8796340236408372259L);
    }

    @Test
    void a_key_is_long_enough_and_never_printed() {
        assertThatThrownBy(() -> new MaskKey("short", new byte[31])).hasMessageContaining("32");
        assertThat(KEY.toString()).isEqualTo("MaskKey[test]");
    }
}
