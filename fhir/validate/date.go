package validate

// Dates and times are real ones: 30 February is none, and a second 60 is let pass since leap seconds exist.

func digits2(text []byte, i int) int {
	a, b := text[i]-'0', text[i+1]-'0'
	if a > 9 || b > 9 {
		return -1
	}
	return int(a)*10 + int(b)
}

var monthDays = [13]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// day reads YYYY, YYYY-MM or YYYY-MM-DD at the front and gives its length; -1 where there is none.
func day(text []byte) int {
	if len(text) < 4 {
		return -1
	}
	century, year := digits2(text, 0), digits2(text, 2)
	if century < 0 || year < 0 || century+year == 0 {
		return -1
	}
	if len(text) < 7 || text[4] != '-' {
		return 4
	}
	month := digits2(text, 5)
	if month < 1 || month > 12 {
		return -1
	}
	if len(text) < 10 || text[7] != '-' {
		return 7
	}
	d := digits2(text, 8)
	if d < 1 || d > monthDays[month] {
		return -1
	}
	if month == 2 && d == 29 {
		y := century*100 + year
		if y%4 != 0 || y%100 == 0 && y%400 != 0 {
			return -1
		}
	}
	return 10
}

// clock reads hh:mm:ss and a fraction at the front and gives its length; -1 where there is none.
func clock(text []byte) int {
	if len(text) < 8 || text[2] != ':' || text[5] != ':' {
		return -1
	}
	h, m, s := digits2(text, 0), digits2(text, 3), digits2(text, 6)
	if h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60 {
		return -1
	}
	if len(text) == 8 || text[8] != '.' {
		return 8
	}
	n := 9
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	if n == 9 {
		return -1
	}
	return n
}

// isZone reports whether text is Z or an offset of at most 14 hours.
func isZone(text []byte) bool {
	if len(text) == 1 {
		return text[0] == 'Z'
	}
	if len(text) != 6 || text[0] != '+' && text[0] != '-' || text[3] != ':' {
		return false
	}
	h, m := digits2(text, 1), digits2(text, 4)
	return h >= 0 && m >= 0 && m < 60 && (h < 14 || h == 14 && m == 0)
}

func isDate(text []byte) bool {
	n := day(text)
	return n == len(text)
}

func isDateTime(text []byte) bool {
	n := day(text)
	return n > 0 && (n == len(text) || n == 10 && isTimeOfDay(text[n:]))
}

func isInstant(text []byte) bool {
	return day(text) == 10 && isTimeOfDay(text[10:])
}

// isTimeOfDay reports whether text is T, a time and a zone.
func isTimeOfDay(text []byte) bool {
	if len(text) < 2 || text[0] != 'T' {
		return false
	}
	n := clock(text[1:])
	return n > 0 && isZone(text[1+n:])
}
