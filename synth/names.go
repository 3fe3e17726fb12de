package synth

// origin is where a person's family comes from: it lends names, language and the answers to the census questions.
type origin struct {
	weight          int // of 100
	race, ethnicity concept
	language        concept
	men, women, kin []string // given names and family names
	nickname        []string // by which friends call some
}

const (
	cdcRace = "urn:oid:2.16.840.1.113883.6.238"
	bcp47   = "urn:ietf:bcp:47"
)

var (
	white      = concept{cdcRace, "2106-3", "White"}
	black      = concept{cdcRace, "2054-5", "Black or African American"}
	asian      = concept{cdcRace, "2028-9", "Asian"}
	native     = concept{cdcRace, "1002-5", "American Indian or Alaska Native"}
	hispanic   = concept{cdcRace, "2135-2", "Hispanic or Latino"}
	notLatino  = concept{cdcRace, "2186-5", "Not Hispanic or Latino"}
	english    = concept{bcp47, "en-US", "English"}
	spanish    = concept{bcp47, "es", "Spanish"}
	chinese    = concept{bcp47, "zh", "Chinese"}
	vietnamese = concept{bcp47, "vi", "Vietnamese"}
	french     = concept{bcp47, "fr", "French"}
	german     = concept{bcp47, "de", "German"}
)

// origins: the weights add up to 100.
var origins = []origin{
	{weight: 54, race: white, ethnicity: notLatino, language: english, men: men, women: women, kin: kin, nickname: nicknames},
	{weight: 13, race: black, ethnicity: notLatino, language: english, men: men, women: women, kin: kin, nickname: nicknames},
	{weight: 9, race: white, ethnicity: hispanic, language: spanish, men: hombres, women: mujeres, kin: apellidos},
	{weight: 8, race: white, ethnicity: hispanic, language: english, men: hombres, women: mujeres, kin: apellidos},
	{weight: 4, race: asian, ethnicity: notLatino, language: chinese, men: men, women: women,
		kin: []string{"Chen", "Huang", "Li", "Lin", "Liu", "Wang", "Wong", "Wu", "Yang", "Zhang", "Zhao", "Lü"}},
	{weight: 3, race: asian, ethnicity: notLatino, language: vietnamese, men: []string{"Anh", "Bảo", "Đức", "Hùng", "Khoa", "Minh", "Quân", "Tuấn"},
		women: []string{"Ánh", "Hạnh", "Hương", "Lan", "Mai", "Ngọc", "Thảo", "Trang"}, kin: []string{"Đặng", "Hoàng", "Lê", "Nguyễn", "Phạm", "Phan", "Trần", "Võ"}},
	{weight: 2, race: native, ethnicity: notLatino, language: english, men: men, women: women,
		kin: []string{"Begay", "Benally", "Nez", "Tsosie", "Yazzie", "Whitehorse", "Locklear", "Oxendine"}},
	{weight: 3, race: white, ethnicity: notLatino, language: french, men: []string{"André", "Benoît", "François", "Gaël", "Jérôme", "Noël", "René", "Théo"},
		women: []string{"Adèle", "Chloé", "Geneviève", "Hélène", "Léa", "Noémie", "Thérèse", "Zoë"},
		kin:   []string{"Beauséjour", "Côté", "D'Amours", "Gagné", "L'Écuyer", "Lévesque", "Pelletier", "Thériault"}},
	{weight: 4, race: white, ethnicity: notLatino, language: german, men: []string{"Bjørn", "Günther", "Jörg", "Jürgen", "Lars", "Matthias", "Søren", "Tomáš"},
		women: []string{"Astrid", "Bärbel", "Käthe", "Łucja", "Renée", "Sigrid", "Ulrike", "Željka"},
		kin:   []string{"Bäcker", "Dvořák", "Großmann", "Jørgensen", "Kowalczyk", "Løvås", "Müller", "Schröder", "Wójcik", "Åkesson"}},
}

var men = []string{"Aaron", "Adam", "Albert", "Alexander", "Andrew", "Anthony", "Arthur", "Benjamin", "Brian", "Caleb", "Charles", "Christopher",
	"Daniel", "David", "Dennis", "Donald", "Dylan", "Edward", "Elijah", "Eric", "Ethan", "Frank", "Gary", "George", "Gregory", "Harold", "Henry",
	"Isaac", "Jack", "Jacob", "James", "Jason", "Jerry", "John", "Jonathan", "Joseph", "Joshua", "Justin", "Keith", "Kenneth", "Kevin", "Larry",
	"Lawrence", "Liam", "Logan", "Lucas", "Marcus", "Mark", "Mason", "Matthew", "Michael", "Nathan", "Nicholas", "Noah", "Oliver", "Oscar", "Patrick",
	"Paul", "Peter", "Philip", "Ralph", "Raymond", "Richard", "Robert", "Roger", "Ronald", "Roy", "Russell", "Ryan", "Samuel", "Scott", "Sean",
	"Stephen", "Terrence", "Theodore", "Thomas", "Timothy", "Tyler", "Victor", "Vincent", "Walter", "Wayne", "William", "Zachary"}

var women = []string{"Abigail", "Alice", "Amanda", "Amber", "Amy", "Andrea", "Angela", "Ann", "Ashley", "Audrey", "Barbara", "Beatrice", "Beth", "Betty",
	"Brenda", "Brittany", "Carol", "Catherine", "Charlotte", "Cheryl", "Christine", "Claire", "Cynthia", "Danielle", "Deborah", "Denise", "Diana",
	"Donna", "Doris", "Dorothy", "Elizabeth", "Ella", "Emily", "Emma", "Evelyn", "Frances", "Gloria", "Grace", "Hannah", "Heather", "Helen", "Irene",
	"Isabel", "Jacqueline", "Jane", "Janet", "Jean", "Jennifer", "Jessica", "Joan", "Joyce", "Judith", "Julia", "Karen", "Kathleen", "Kelly", "Laura",
	"Lauren", "Linda", "Lisa", "Lucy", "Madison", "Margaret", "Marie", "Martha", "Mary", "Megan", "Melissa", "Mia", "Michelle", "Nancy", "Natalie",
	"Nicole", "Nora", "Olivia", "Pamela", "Patricia", "Rachel", "Rebecca", "Rose", "Ruth", "Sandra", "Sarah", "Sharon", "Sophia", "Stephanie",
	"Susan", "Teresa", "Vanessa", "Victoria", "Virginia"}

var kin = []string{"Adams", "Allen", "Anderson", "Bailey", "Baker", "Barnes", "Bell", "Bennett", "Brooks", "Brown", "Bryant", "Butler", "Campbell",
	"Carter", "Clark", "Coleman", "Collins", "Cook", "Cooper", "Cox", "Davis", "Edwards", "Ellis", "Evans", "Fisher", "Foster", "Gibson", "Graham",
	"Gray", "Green", "Griffin", "Hall", "Hamilton", "Harris", "Harrison", "Hayes", "Henderson", "Hill", "Howard", "Hughes", "Jackson", "James",
	"Jenkins", "Johnson", "Jones", "Jordan", "Kelly", "King", "Lee", "Lewis", "Long", "Marshall", "Martin", "McDonald", "Miller", "Mitchell", "Moore",
	"Morgan", "Morris", "Murphy", "Myers", "Nelson", "O'Brien", "O'Connor", "Owens", "Parker", "Patterson", "Perry", "Peterson", "Phillips", "Powell",
	"Price", "Reed", "Reynolds", "Richardson", "Roberts", "Robinson", "Rogers", "Ross", "Russell", "Sanders", "Scott", "Simmons", "Smith", "Stevens",
	"Stewart", "Sullivan", "Taylor", "Thomas", "Thompson", "Turner", "Wagner", "Walker", "Ward", "Watson", "West", "White", "Williams", "Wilson",
	"Wood", "Wright", "Young"}

var hombres = []string{"Alejandro", "Álvaro", "Andrés", "Ángel", "Antonio", "Carlos", "Diego", "Eduardo", "Fernando", "Gabriel", "Héctor", "Iván",
	"Javier", "Jesús", "Jorge", "José", "Juan", "Julián", "Luis", "Manuel", "Martín", "Miguel", "Óscar", "Pedro", "Rafael", "Raúl", "Ramón", "Tomás"}

var mujeres = []string{"Adriana", "Alejandra", "Ana", "Ángela", "Beatriz", "Camila", "Carmen", "Daniela", "Elena", "Gabriela", "Inés", "Isabel",
	"Josefina", "Juana", "Lucía", "Luz", "María", "Mónica", "Pilar", "Rocío", "Rosa", "Sofía", "Valentina", "Verónica", "Ximena", "Yolanda"}

var apellidos = []string{"Álvarez", "Castillo", "Castro", "Chávez", "Cruz", "Díaz", "Fernández", "Flores", "García", "Gómez", "González", "Gutiérrez",
	"Hernández", "Jiménez", "López", "Martínez", "Medina", "Mendoza", "Morales", "Muñoz", "Núñez", "Ortiz", "Peña", "Pérez", "Ramírez", "Ramos",
	"Reyes", "Rivera", "Rodríguez", "Romero", "Ruiz", "Sánchez", "Torres", "Vargas", "Vázquez"}

var nicknames = []string{"Ace", "Buddy", "Chip", "Dot", "Kit", "Red", "Skip", "Sunny"}
