package synth

// town is a city of the United States in which people of the population live.
type town struct {
	city, state, abbr string
	zip               int // the first of its postal codes in use here; the next few are used as well
	lat, lon          float64
	zone              int // hours from universal time in winter
	area              string
}

var towns = []town{
	{"Boston", "Massachusetts", "MA", 2108, 42.357603, -71.068432, -5, "617"},
	{"Worcester", "Massachusetts", "MA", 1602, 42.269478, -71.807783, -5, "508"},
	{"Springfield", "Massachusetts", "MA", 1103, 42.115454, -72.539978, -5, "413"},
	{"Portland", "Maine", "ME", 4101, 43.661028, -70.258632, -5, "207"},
	{"Burlington", "Vermont", "VT", 5401, 44.475882, -73.212072, -5, "802"},
	{"Manchester", "New Hampshire", "NH", 3101, 42.991176, -71.463089, -5, "603"},
	{"Providence", "Rhode Island", "RI", 2903, 41.818233, -71.410149, -5, "401"},
	{"Hartford", "Connecticut", "CT", 6103, 41.767196, -72.676185, -5, "860"},
	{"Albany", "New York", "NY", 12203, 42.678066, -73.814233, -5, "518"},
	{"Buffalo", "New York", "NY", 14201, 42.896659, -78.886829, -5, "716"},
	{"Newark", "New Jersey", "NJ", 7102, 40.735657, -74.172367, -5, "973"},
	{"Pittsburgh", "Pennsylvania", "PA", 15203, 40.425432, -79.977982, -5, "412"},
	{"Philadelphia", "Pennsylvania", "PA", 19103, 39.952622, -75.165707, -5, "215"},
	{"Dover", "Delaware", "DE", 19901, 39.158168, -75.524368, -5, "302"},
	{"Baltimore", "Maryland", "MD", 21202, 39.299236, -76.609383, -5, "410"},
	{"Richmond", "Virginia", "VA", 23219, 37.540725, -77.436048, -5, "804"},
	{"Charleston", "West Virginia", "WV", 25301, 38.349819, -81.632623, -5, "304"},
	{"Raleigh", "North Carolina", "NC", 27601, 35.779590, -78.638179, -5, "919"},
	{"Columbia", "South Carolina", "SC", 29201, 34.000710, -81.034814, -5, "803"},
	{"Atlanta", "Georgia", "GA", 30303, 33.748995, -84.387982, -5, "404"},
	{"Jacksonville", "Florida", "FL", 32202, 30.332184, -81.655651, -5, "904"},
	{"Miami", "Florida", "FL", 33128, 25.774266, -80.193659, -5, "305"},
	{"Cleveland", "Ohio", "OH", 44113, 41.481990, -81.700200, -5, "216"},
	{"Columbus", "Ohio", "OH", 43215, 39.961176, -82.998794, -5, "614"},
	{"Detroit", "Michigan", "MI", 48201, 42.331427, -83.045754, -5, "313"},
	{"Indianapolis", "Indiana", "IN", 46204, 39.768403, -86.158068, -5, "317"},
	{"Louisville", "Kentucky", "KY", 40202, 38.252665, -85.758456, -5, "502"},
	{"Nashville", "Tennessee", "TN", 37203, 36.162664, -86.781602, -6, "615"},
	{"Birmingham", "Alabama", "AL", 35203, 33.520661, -86.802490, -6, "205"},
	{"Jackson", "Mississippi", "MS", 39201, 32.298757, -90.184810, -6, "601"},
	{"New Orleans", "Louisiana", "LA", 70112, 29.951066, -90.071532, -6, "504"},
	{"Chicago", "Illinois", "IL", 60601, 41.878114, -87.629798, -6, "312"},
	{"Milwaukee", "Wisconsin", "WI", 53202, 43.038903, -87.906474, -6, "414"},
	{"Saint Paul", "Minnesota", "MN", 55101, 44.953703, -93.089958, -6, "651"},
	{"Des Moines", "Iowa", "IA", 50309, 41.586835, -93.624959, -6, "515"},
	{"Kansas City", "Missouri", "MO", 64105, 39.099727, -94.578567, -6, "816"},
	{"Little Rock", "Arkansas", "AR", 72201, 34.746481, -92.289595, -6, "501"},
	{"Dallas", "Texas", "TX", 75201, 32.776664, -96.796988, -6, "214"},
	{"Houston", "Texas", "TX", 77002, 29.760427, -95.369803, -6, "713"},
	{"Oklahoma City", "Oklahoma", "OK", 73102, 35.467560, -97.516428, -6, "405"},
	{"Omaha", "Nebraska", "NE", 68102, 41.256537, -95.934503, -6, "402"},
	{"Denver", "Colorado", "CO", 80202, 39.739236, -104.990251, -7, "303"},
	{"Albuquerque", "New Mexico", "NM", 87102, 35.084386, -106.650422, -7, "505"},
	{"Salt Lake City", "Utah", "UT", 84101, 40.760779, -111.891047, -7, "801"},
	{"Boise", "Idaho", "ID", 83702, 43.615019, -116.202314, -7, "208"},
	{"Billings", "Montana", "MT", 59101, 45.783286, -108.500690, -7, "406"},
	{"San Diego", "California", "CA", 92101, 32.715738, -117.161084, -8, "619"},
	{"Sacramento", "California", "CA", 95814, 38.581572, -121.494400, -8, "916"},
	{"Portland", "Oregon", "OR", 97201, 45.505106, -122.675026, -8, "503"},
	{"Spokane", "Washington", "WA", 99201, 47.658780, -117.426047, -8, "509"},
}

var streets = []string{"Alder", "Ash", "Beacon", "Birch", "Bridge", "Canal", "Cedar", "Center", "Chapel", "Cherry", "Chestnut", "Church", "College",
	"Dogwood", "Elm", "Fairview", "Franklin", "Front", "Garden", "Grove", "Harbor", "Hickory", "Highland", "Hill", "Holly", "Jefferson", "Juniper",
	"Lake", "Laurel", "Liberty", "Lincoln", "Linden", "Locust", "Madison", "Magnolia", "Main", "Maple", "Market", "Meadow", "Mill", "Mulberry", "Oak",
	"Orchard", "Park", "Pearl", "Pine", "Pleasant", "Poplar", "Prospect", "Quarry", "Ridge", "River", "School", "Spring", "Spruce", "Summit",
	"Sycamore", "Union", "Valley", "Walnut", "Washington", "Water", "Willow", "Winter"}

var ways = []string{"Street", "Street", "Street", "Avenue", "Avenue", "Road", "Lane", "Drive", "Court", "Place", "Terrace", "Way"}

var rooms = []string{"Apt", "Suite", "Unit"}

// addressee is one postal address.
type addressee struct {
	town         *town
	house        int
	street, way  string
	room         string // or empty
	number, post int    // number of the room; postal code
}

func (d *draw) house(t *town) addressee {
	a := addressee{town: t, house: d.between(1, 1099), street: *pick(d, streets), way: *pick(d, ways), post: t.zip + d.below(3)}
	if d.permille(400) {
		a.room, a.number = *pick(d, rooms), d.between(1, 99)
	}
	return a
}

// address appends the members of an Address, but not where on the globe it is.
func (j *json) address(a *addressee) {
	j.list("line")
	j.buf = append(j.buf, '"')
	j.buf = appendInt(j.buf, a.house)
	j.buf = append(append(j.buf, ' '), a.street...)
	j.buf = append(append(j.buf, ' '), a.way...)
	if a.room != "" {
		j.buf = append(append(j.buf, ' '), a.room...)
		j.buf = appendInt(append(j.buf, ' '), a.number)
	}
	j.buf = append(j.buf, '"')
	j.done()
	j.code("city", a.town.city)
	j.code("state", a.town.abbr)
	j.key("postalCode")
	j.buf = append(j.buf, '"')
	j.buf = append(j.buf, byte('0'+a.post/10000))
	j.buf = append2(append2(j.buf, a.post/100%100), a.post%100)
	j.buf = append(j.buf, '"')
	j.code("country", "US")
}

// phone appends a member telecom with a number of the range that is never given to anybody.
func (j *json) phone(t *town, last int, use string) {
	j.list("telecom")
	j.item()
	j.code("system", "phone")
	j.key("value")
	j.buf = append(append(append(j.buf, '"'), t.area...), "-555-01"...)
	j.buf = append(append2(j.buf, last%100), '"')
	j.code("use", use)
	j.close()
	j.done()
}
