package local

import (
	"encoding/binary"
	"hash/crc32"
)

// combine is the CRC of the whole from those of its parts, without reading a byte: appending n bytes multiplies a CRC by
// x^8n modulo its polynomial, and the CRC of what was appended is added. sums are big endian, as checksums are sent.
func combine(algorithm string, sums [][]byte, list []body) []byte {
	width, poly := 32, uint64(crc32.IEEE)
	switch algorithm {
	case "CRC32C":
		poly = crc32.Castagnoli
	case "CRC64NVME":
		width, poly = 64, 0x9a6c9329ac4bc9b5
	}
	var crc uint64
	for i, raw := range sums {
		var next uint64
		for _, b := range raw {
			next = next<<8 | uint64(b)
		}
		if i == 0 {
			crc = next
		} else {
			crc = multiply(crc, power(uint64(list[i].Size)*8, poly, width), poly, width) ^ next
		}
	}
	out := binary.BigEndian.AppendUint64(nil, crc)
	return out[8-width/8:]
}

// multiply multiplies two polynomials in reflected form: the highest bit is the coefficient of x^0.
func multiply(a, b, poly uint64, width int) uint64 {
	var product uint64
	for bit := width - 1; bit >= 0; bit-- {
		if a&(1<<uint(bit)) != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry != 0 {
			b ^= poly
		}
	}
	return product
}

// power is x^n.
func power(n, poly uint64, width int) uint64 {
	result := uint64(1) << uint(width-1) // x^0
	square := uint64(1) << uint(width-2) // x^1
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			result = multiply(result, square, poly, width)
		}
		square = multiply(square, square, poly, width)
	}
	return result
}
